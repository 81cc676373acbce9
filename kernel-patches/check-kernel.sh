#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Say whether a series applies to a kernel, patch by patch, and whether its
# modules build for it, before anybody boots it: of the kernel's source and its
# headers, which need be neither installed nor running.

set -euo pipefail

usage() {
	cat <<-'USAGE'
	Usage: check-kernel.sh --source TARBALL [--headers-root DIR] [--series DIR]

	  --source TARBALL    the kernel's source (linux-source-X.Y.tar.xz)
	  --headers-root DIR  also build the six modules against the headers below
	                      it ("/" where the packages are installed), as
	                      build-modules.sh does
	  --series DIR        (default: the folder here that is named as the
	                      kernel's series, e.g. 6.12)

	Exit code: 0 yes, 1 no, 2 usage, 4 there is no series for this kernel.
	USAGE
}

say() { printf 'check-kernel: %s\n' "$*" >&2; }
wrong() { say "error: $*"; exit 2; }

source='' headers_root='' series=''
while (($#)); do
	case $1 in
	--help)
		usage
		exit 0
		;;
	--source | --headers-root | --series)
		(($# >= 2)) || wrong "$1 needs an argument"
		case $1 in
		--source) source=$2 ;;
		--headers-root) headers_root=$2 ;;
		--series) series=$2 ;;
		esac
		shift 2
		;;
	*)
		usage >&2
		wrong "unknown argument: $1"
		;;
	esac
done
[[ -n $source ]] || { usage >&2; wrong "--source is required"; }
[[ -r $source ]] || wrong "no such file: $source"
here=$(dirname -- "$(realpath -- "$0")")
work=$(mktemp --directory)
trap 'rm --recursive --force -- "$work"' EXIT

# The version is in the first lines of the kernel's own Makefile.
top=${source##*/}
top=${top%.tar.*}
tar --extract --occurrence=1 --file "$source" --directory "$work" --strip-components=1 -- "$top/Makefile" 2>/dev/null ||
	wrong "$source has no $top/Makefile: is it a kernel's source?"
part() { sed --quiet "s/^$1 = *//p" "$work/Makefile" | head --lines=1; }
name=$(part VERSION).$(part PATCHLEVEL)
version=$name.$(part SUBLEVEL)
series=${series:-$here/$name}
if [[ ! -d $series ]]; then
	printf '%s: no series\n' "$version"
	say "there is no folder $series; give another by --series to see how far it applies"
	exit 4
fi

patches=("$series"/*.patch)
mapfile -t files < <(sed --quiet --regexp-extended 's#^--- a/([^\t]+).*#\1#p' "${patches[@]}" | sort --unique)
# A file that an earlier patch adds is not in the source, and that is no error.
tar --extract --file "$source" --directory "$work" --strip-components=1 \
	-- "${files[@]/#/$top/}" 2>/dev/null || true

failed=''
for patch in "${patches[@]}"; do
	if said=$(patch --strip=1 --fuzz=0 --force --directory "$work" --input "$(realpath -- "$patch")" 2>&1); then
		printf '%s: %s: applies\n' "$version" "${patch##*/}"
	else
		failed=yes
		printf '%s: %s: does not apply\n' "$version" "${patch##*/}"
		grep --extended-regexp 'FAILED|No such file|can.t find' <<<"$said" >&2 || true
	fi
done
[[ -z $failed ]] || exit 1
[[ -n $headers_root ]] || exit 0

if "$here/build-modules.sh" --headers-root "$headers_root" --source "$source" --series "$series" \
	--work "$work/build" --output "$work/modules" >"$work/build.out" 2>&1; then
	printf '%s: builds: %s\n' "$version" "$(sed --quiet 's/^  "release": "\(.*\)",$/\1/p' "$work/modules/modules.json")"
	! grep --extended-regexp 'warning|WARNING' -- "$work/build.out" >&2 || say "with warnings, see above"
else
	printf '%s: does not build\n' "$version"
	cat -- "$work/build.out" >&2
	exit 1
fi
