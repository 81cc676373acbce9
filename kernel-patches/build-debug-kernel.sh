#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build a whole PREEMPT_RT kernel with the series applied and the kernel's own
# checks on (debug/debug.config): lock order, sleeping where that is forbidden,
# memory that is used after it was freed.  For the lab, not for a host.

set -euo pipefail

usage() {
	cat <<-'USAGE'
	Usage: build-debug-kernel.sh --source TARBALL --work DIR --output DIR
	                             [--series DIR] [--patch FILE]... [--jobs N]

	  --source TARBALL  the kernel's source (linux-source-X.Y.tar.xz)
	  --series DIR      apply DIR/*.patch, in order (none: unpatched build)
	  --patch FILE      apply this one too, after the series (repeatable)
	  --work DIR        where to build; what the script made there before is
	                    removed first
	  --output DIR      receives boot/vmlinuz and lib/modules/RELEASE
	  --jobs N          parallel jobs (default: number of CPUs)
	USAGE
}

say() { printf 'build-debug-kernel: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

source='' series='' work='' output='' jobs=''
patches=()
while (($#)); do
	case $1 in
	--help)
		usage
		exit 0
		;;
	--source | --series | --patch | --work | --output | --jobs)
		(($# >= 2)) || die "$1 needs an argument"
		case $1 in
		--source) source=$2 ;;
		--series) series=$2 ;;
		--patch) patches+=("$2") ;;
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

shopt -s nullglob
config=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/debug/debug.config
if [[ -n $series ]]; then
	patches=("$series"/*.patch "${patches[@]+"${patches[@]}"}")
fi
mkdir --parents -- "$work" "$output"
work=$(realpath -- "$work")
[[ $work != *[[:space:]]* ]] || die "the kernel's build takes no white space in paths: $work"
tree=$work/tree
output=$(realpath -- "$output")
rm --recursive --force -- "$tree"
mkdir --parents -- "$tree"

say "source: extracting ${source##*/}"
tar --extract --file "$source" --directory "$tree" --strip-components=1
for file in "${patches[@]+"${patches[@]}"}"; do
	patch --strip=1 --fuzz=0 --force --silent --directory "$tree" --input "$(realpath -- "$file")" >&2 ||
		die "does not apply: $file"
done

log=$work/build.log
# The kernel's own Makefiles must not see the make that may have started us.
unset MAKEFLAGS MAKELEVEL
build() {
	make --directory "$tree" --jobs "$jobs" ARCH=x86 "$@" >>"$log" 2>&1 || {
		tail --lines=60 -- "$log" >&2
		die "make ${*: -1} failed"
	}
}
: >"$log"
build KCONFIG_ALLCONFIG="$config" allnoconfig
# An option whose dependencies are missing is dropped in silence.
if dropped=$(grep '^CONFIG' "$config" | grep --invert-match --line-regexp --fixed-strings --file="$tree/.config"); then
	die "the configuration lacks:"$'\n'"$dropped"
fi

say "build: a kernel and its modules (about ten minutes on two cores)"
build bzImage
build modules
# By way of --work: the output's path may have white space.
build INSTALL_MOD_PATH="$work/installed" modules_install
# It leads into --work, which need not outlive this.
rm --force -- "$work"/installed/lib/modules/*/build
mkdir --parents -- "$output/boot" "$output/lib"
cp --archive -- "$work/installed/lib/modules" "$output/lib/"
cp -- "$tree/arch/x86/boot/bzImage" "$output/boot/vmlinuz"
say "output: $(make --silent --directory "$tree" ARCH=x86 kernelrelease)"
