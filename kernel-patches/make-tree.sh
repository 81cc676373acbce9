#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Make a git tree out of a patch series, to work on it: Debian's source as the
# first commit, the series on branch master, the lab-only patches on branch lab
# above it, and the cover letter's text as the description of branch master.
# regenerate.sh is the way back.

set -euo pipefail

usage() {
	cat <<-'USAGE'
	Usage: make-tree.sh [--touched-only] SERIES_DIR TARBALL TREE

	  SERIES_DIR      a folder of this one, e.g. 6.12
	  TARBALL         Debian's source of that kernel, linux-source-X.Y.tar.xz
	  TREE            folder for the git tree; must not exist or be empty
	  --touched-only  unpack the files that the patches touch, and scripts/,
	                  not the whole kernel (1.3 GB)
	USAGE
}

die() { printf 'make-tree: error: %s\n' "$*" >&2; exit 1; }

touched_only=''
if [[ ${1-} == --help ]]; then
	usage
	exit 0
fi
if [[ ${1-} == --touched-only ]]; then
	touched_only=yes
	shift
fi
(($# == 3)) || { usage >&2; exit 2; }
series=$1 tarball=$2 tree=$3
[[ -d $series ]] || die "no such folder: $series"
[[ -r $tarball ]] || die "no such file: $tarball"
[[ ! -e $tree || -z $(ls --almost-all -- "$tree") ]] || die "not empty: $tree"
series=$(realpath -- "$series")
tarball=$(realpath -- "$tarball")
for tool in git tar xz; do
	command -v "$tool" >/dev/null || die "$tool is needed"
done

# Nobody's settings but these: the same patches have to come out everywhere.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_COMMITTER_NAME=vmcall GIT_COMMITTER_EMAIL=vmcall@example.org
export GIT_AUTHOR_NAME=vmcall GIT_AUTHOR_EMAIL=vmcall@example.org

shopt -s nullglob
patches=("$series"/*.patch)
lab_patches=("$series"/lab/*.patch)
((${#patches[@]})) || die "no patches in $series"

mkdir --parents -- "$tree"
members=()
if [[ $touched_only ]]; then
	top=${tarball##*/}
	top=${top%.tar.*}
	all=("${patches[@]}" "${lab_patches[@]}")
	mapfile -t members < <(
		comm -23 \
			<(sed --quiet --regexp-extended 's#^--- a/([^\t]+).*#\1#p' "${all[@]}" | sort --unique) \
			<(sed --quiet '/^--- \/dev\/null$/{n;s#^+++ b/##p}' "${all[@]}" | sort --unique)
		printf '%s\n' .gitattributes scripts/{checkpatch.pl,spelling.txt,const_structs.checkpatch}
	)
	members=("${members[@]/#/$top/}")
fi
tar --extract --file "$tarball" --directory "$tree" --strip-components=1 -- "${members[@]}" ||
	die "$tarball lacks a file that the series changes, see above"

cd -- "$tree"
git init --quiet --initial-branch=master
# Debian's .gitignore has a rule for everything.
git add --all --force
git commit --quiet --message="base: ${tarball##*/}"
apply() {
	git am --quiet --committer-date-is-author-date -- "$@" || die "does not apply: see above"
}
apply "${patches[@]}"
git checkout --quiet -b lab
((${#lab_patches[@]} == 0)) || apply "${lab_patches[@]}"
git checkout --quiet master

if [[ -e $series/cover-letter.txt ]]; then
	# The text ends where the list of authors begins: "name (number of patches):".
	description=$(git mailinfo .git/cover-body /dev/null <"$series/cover-letter.txt" |
		sed --quiet 's/^Subject: //p')
	description+=$'\n\n'$(sed --regexp-extended '/^\S.* \([0-9]+\):$/,$d' .git/cover-body)
	git config branch.master.description "$description"
	rm .git/cover-body
fi
