#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build KVM selftests out of a distribution kernel's source tarball: those that
# the patch series adds, with the series applied, or without a series all of
# the kernel's own.  They run on a host (or in the lab's emulated one) that has
# the modules of build-modules.sh loaded.
#
# Only what the selftests need is taken out of the tarball: their own folder,
# the user-space headers of the tools, and what "make headers" wants.

set -euo pipefail

usage() {
	cat <<-'USAGE'
	Usage: build-selftests.sh --source TARBALL --work DIR --output DIR [--series DIR] [--jobs N]

	  --source TARBALL  the kernel's source (linux-source-X.Y.tar.xz)
	  --series DIR      apply DIR/*.patch, in order, and build what they add
	                    (none: all selftests of the unpatched source)
	  --work DIR        where to build; what the script made there before is
	                    removed first
	  --output DIR      receives the programs
	  --jobs N          parallel jobs (default: number of CPUs)
	USAGE
}

say() { printf 'build-selftests: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

source='' series='' work='' output='' jobs=''
while (($#)); do
	case $1 in
	--help)
		usage
		exit 0
		;;
	--source | --series | --work | --output | --jobs)
		(($# >= 2)) || die "$1 needs an argument"
		case $1 in
		--source) source=$2 ;;
		--series) series=$2 ;;
		--work) work=$2 ;;
		--output) output=$2 ;;
		--jobs) jobs=$2 ;;
		esac
		shift 2
		;;
	*)
		usage >&2
		die "unknown argument: $1"
		;;
	esac
done
[[ -r $source ]] || die "--source: no such file: $source"
[[ -z $series || -d $series ]] || die "--series: no such folder: $series"
[[ -n $work ]] || die "--work is required"
[[ -n $output ]] || die "--output is required"
jobs=${jobs:-$(nproc)}
[[ $jobs =~ ^[1-9][0-9]*$ ]] || die "--jobs wants a number"

patches=()
if [[ -n $series ]]; then
	patches=("$series"/*.patch)
	[[ -e ${patches[0]} ]] || die "no patches in $series"
fi
mkdir --parents -- "$work" "$output"
tree=$(realpath -- "$work")/tree
out=$(realpath -- "$work")/out
output=$(realpath -- "$output")
rm --recursive --force -- "$tree" "$out"
mkdir --parents -- "$tree" "$out"

say "source: extracting what is needed from ${source##*/}"
want=(
	Makefile Kbuild arch/x86 include scripts usr
	tools/arch tools/build tools/include tools/lib/rbtree.c tools/scripts
	tools/testing/selftests/kvm tools/testing/selftests/rseq
	tools/testing/selftests/lib.mk
	'tools/testing/selftests/kselftest*'
	# of later kernels: the libraries that theirs uses
	tools/testing/selftests/{cgroup,clone3,vfio} drivers/dma/{idxd,ioat}
	drivers/net/ethernet/intel/igb
)
# Files that a patch changes have to be there for it to apply.
mapfile -t changed < <(cat -- "${patches[@]+"${patches[@]}"}" </dev/null |
	sed --quiet --regexp-extended 's#^--- a/([^\t]+).*#\1#p' | sort --unique)
printf '*/%s\n' "${want[@]}" "${changed[@]+"${changed[@]}"}" >"$work/members"
# Not an error: a file that an earlier patch of the series adds.
tar --extract --file "$source" --directory "$tree" --strip-components=1 \
	--wildcards --no-wildcards-match-slash --files-from "$work/members" 2>"$work/tar.log" || true
for file in "${patches[@]+"${patches[@]}"}"; do
	patch --strip=1 --fuzz=0 --force --silent --directory "$tree" --input "$(realpath -- "$file")" >&2 ||
		die "does not apply: $file"
done

# The programs are those of the selftests' Makefile; of a series, those that it
# adds there.
kvm=$tree/tools/testing/selftests/kvm
if [[ -n $series ]]; then
	mapfile -t programs < <(sed --quiet --regexp-extended \
		's#^\+TEST_GEN_PROGS_x86(_64)? \+= (x86(_64)?/\S+)$#\2#p' "${patches[@]}")
else
	mapfile -t programs < <(sed --quiet --regexp-extended \
		's#^TEST_GEN_PROGS_x86(_64)? \+= (\S+)$#\2#p' "$kvm"/Makefile{,.kvm} 2>/dev/null)
fi
((${#programs[@]})) || die "there is no selftest to build"

say "build: ${programs[*]##*/}"
log=$work/build.log
# The kernel's own Makefiles must not see the make that may have started us.
unset MAKEFLAGS MAKELEVEL
if ! {
	make --directory "$tree" --jobs "$jobs" ARCH=x86 headers &&
		make --directory "$kvm" --jobs "$jobs" ARCH=x86 \
			OUTPUT="$out" "${programs[@]/#/$out/}"
} >"$log" 2>&1; then
	tail --lines=60 -- "$log" >&2
	die "build failed"
fi
for program in "${programs[@]}"; do
	cp -- "$out/$program" "$output/"
	strip --strip-debug -- "$output/${program##*/}"
done
say "output: ${#programs[@]} programs"
