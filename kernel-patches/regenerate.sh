#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Write the patch series again from git trees (make-tree.sh), and check them.

set -euo pipefail

usage() {
	cat <<-'USAGE'
	Usage: regenerate.sh SERIES=TREE...

	  regenerate.sh 6.12=../linux-6.12 6.1=../linux-6.1

	Per series: the patches from branch master of the tree, those for the lab
	only from branch lab, and the cover letter from the description of branch
	master (git branch --edit-description).  Then check-series.sh, with Debian's
	source from the cache of vmcall ($XDG_CACHE_HOME/vmcall/kernel).
	USAGE
}

die() { printf 'regenerate: error: %s\n' "$*" >&2; exit 1; }

if [[ ${1-} == --help ]]; then
	usage
	exit 0
fi
(($#)) || { usage >&2; exit 2; }
here=$(dirname -- "$(realpath -- "$0")")

export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null

for pair; do
	[[ $pair == ?*=?* ]] || die "want SERIES=TREE, not: $pair"
	name=${pair%%=*} tree=${pair#*=} series=$here/${pair%%=*}
	[[ -d $tree/.git ]] || die "not a git tree: $tree"
	mkdir --parents -- "$series/lab"

	git() { command git -C "$tree" -c core.abbrev=7 -c safe.directory='*' "$@"; }
	base=$(git rev-list --max-parents=0 master)
	# The cover letter has its author and date from the committer: not who runs this, nor when.
	GIT_COMMITTER_NAME=$(git log -1 --format=%an master)
	GIT_COMMITTER_EMAIL=$(git log -1 --format=%ae master)
	GIT_COMMITTER_DATE=$(git log -1 --format=%aI master)
	export GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_COMMITTER_DATE

	rm --force -- "$series"/*.patch "$series"/lab/*.patch
	format=(format-patch --quiet --zero-commit --no-numbered --no-signature)
	git "${format[@]}" --cover-letter --cover-from-description=subject \
		--output-directory "$series" "$base..master"
	# Under another name: git am *.patch would stumble over a mail without a patch.
	mv -- "$series/0000-cover-letter.patch" "$series/cover-letter.txt"
	git "${format[@]}" --output-directory "$series/lab" master..lab
	unset -f git
done

for pair; do
	name=${pair%%=*}
	tarballs=("${XDG_CACHE_HOME:-$HOME/.cache}/vmcall/kernel/$name"/*/usr/src/linux-source-"$name".tar.xz)
	[[ -r ${tarballs[-1]} ]] || die "no source of $name to check against: npm start -- --kernel $name fetches it"
	"$here/check-series.sh" "$here/$name" "${tarballs[-1]}"
done
