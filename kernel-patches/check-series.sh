#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Check a patch series: it applies to Debian's source without fuzz (git am knows
# none), and the cover letter answers what checkpatch --strict says, and answers
# nothing else.  An answer is a line of the cover letter that begins with the
# patch's number and the type of the remark:
#
#   0006 BIT_MACRO: why it stays

set -euo pipefail

usage() {
	cat <<-'USAGE'
	Usage: check-series.sh SERIES_DIR TARBALL

	  SERIES_DIR  a folder of this one, e.g. 6.12
	  TARBALL     Debian's source of that kernel, linux-source-X.Y.tar.xz
	USAGE
}

say() { printf 'check-series: %s: %s\n' "${series##*/}" "$*" >&2; }

if [[ ${1-} == --help ]]; then
	usage
	exit 0
fi
(($# == 2)) || { usage >&2; exit 2; }
series=$(realpath -- "$1") tarball=$2
cover=$series/cover-letter.txt
here=$(dirname -- "$(realpath -- "$0")")
[[ -r $cover ]] || { say "error: no cover-letter.txt"; exit 1; }

work=$(mktemp --directory)
trap 'rm --recursive --force -- "$work"' EXIT

"$here/make-tree.sh" --touched-only "$series" "$tarball" "$work/tree"
shopt -s nullglob
patches=("$series"/*.patch)
lab_patches=("$series"/lab/*.patch)
say "${#patches[@]} patches and ${#lab_patches[@]} for the lab only apply without fuzz"

# "NNNN TYPE" once each, of the patches for the lab only "lab/NNNN TYPE".
remarks() {
	local file number
	for file in "${patches[@]}" "${lab_patches[@]}"; do
		number=${file#"$series"/}
		number=${number%%-*}
		# It exits 1 when it has something to say.
		perl "$work/tree/scripts/checkpatch.pl" --no-tree --strict --terse --show-types \
			--no-summary "$file" >"$work/remarks" || true
		# FILE:LINE: LEVEL:TYPE: text
		sed --quiet --regexp-extended "s#^.*:[0-9]+: [A-Z]+:([A-Z_]+): .*#$number \1#p" "$work/remarks"
		if grep --invert-match --extended-regexp ':[0-9]+: [A-Z]+:[A-Z_]+: ' "$work/remarks" >&2; then
			say "error: checkpatch did not work on ${file##*/}, see above"
			exit 1
		fi
	done | sort --unique
}
remarks >"$work/said"
sed --quiet --regexp-extended 's#^ *((lab/)?[0-9]{4} [A-Z_]+): .+#\1#p' "$cover" | sort --unique >"$work/answered"
if ! diff --unchanged-line-format='' --old-line-format='unanswered: %L' \
	--new-line-format='answered, but not said: %L' "$work/said" "$work/answered" >&2; then
	say "error: checkpatch --strict and the cover letter do not agree"
	exit 1
fi
say "checkpatch --strict: $(wc --lines <"$work/said") remarks, all answered in the cover letter"
