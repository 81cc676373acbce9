#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the six modules that the patch series changes against a distribution
# kernel's own headers, without building that kernel:
#
#   kvm kvm-amd kvm-intel irqbypass vfio-pci-core vfio-pci
#
# The sources of just these modules are taken out of the kernel's source
# tarball into a mirror, the series is applied there, and the mirror is built
# as one external module tree.  Headers that the series changes come first on
# the include path, all others are the distribution's.  Nothing is installed.

set -euo pipefail

usage() {
	cat <<-'USAGE'
	Usage: build-modules.sh --headers-root DIR --source TARBALL --work DIR --output DIR
	                        [--release RELEASE] [--series DIR] [--patch FILE]... [--jobs N]

	  --headers-root DIR  root that holds usr/src/linux-headers-*-rt-amd64,
	                      its -common-rt, and usr/lib/linux-kbuild-*
	                      ("/" where the header packages are installed)
	  --release RELEASE   which of them, as in uname -r (default: the only one)
	  --source TARBALL    the kernel's source (linux-source-X.Y.tar.xz)
	  --series DIR        apply DIR/*.patch, in order (none: unpatched build)
	  --patch FILE        apply this one too, after the series (repeatable)
	  --work DIR          where to build; what the script made there before
	                      is removed first
	  --output DIR        receives the modules and modules.json
	  --jobs N            parallel jobs (default: number of CPUs)
	USAGE
}

say() { printf 'build-modules: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

headers_root='' release='*-rt-amd64' source='' series='' work='' output='' jobs=''
patches=()

while (($#)); do
	case $1 in
	--help)
		usage
		exit 0
		;;
	--headers-root | --release | --source | --series | --patch | --work | --output | --jobs)
		(($# >= 2)) || die "$1 needs an argument"
		case $1 in
		--headers-root) headers_root=$2 ;;
		--release) release=$2 ;;
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

[[ -n $headers_root ]] || die "--headers-root is required"
[[ -n $source ]] || die "--source is required"
[[ -n $work ]] || die "--work is required"
[[ -n $output ]] || die "--output is required"
[[ -r $source ]] || die "no such file: $source"
[[ -z $series || -d $series ]] || die "no such folder: $series"
jobs=${jobs:-$(nproc)}
[[ $jobs =~ ^[1-9][0-9]*$ ]] || die "--jobs wants a number"

for tool in gcc make tar patch modinfo sha256sum strip; do
	command -v "$tool" >/dev/null || die "$tool is needed"
done

headers_root=$(realpath -- "$headers_root")
source=$(realpath -- "$source")
mkdir --parents -- "$work" "$output"
work=$(realpath -- "$work")
output=$(realpath -- "$output")
[[ $work != *[[:space:]]* ]] || die "kbuild takes no white space in paths: $work"
if [[ $headers_root == *[[:space:]]* ]]; then
	# kbuild resolves links, so a copy it must be.
	say "headers: copied, as kbuild takes no white space in paths"
	rm --recursive --force -- "$work/root"
	mkdir --parents -- "$work/root/usr/src" "$work/root/usr/lib"
	cp --archive -- "$headers_root"/usr/src/linux-headers-* "$work/root/usr/src/"
	cp --archive -- "$headers_root"/usr/lib/linux-kbuild-* "$work/root/usr/lib/"
	headers_root=$work/root
fi

if [[ -n $series ]]; then
	series_files=()
	for file in "$series"/*.patch; do
		if [[ -e $file ]]; then series_files+=("$file"); fi
	done
	patches=("${series_files[@]+"${series_files[@]}"}" "${patches[@]+"${patches[@]}"}")
fi
for i in "${!patches[@]}"; do
	[[ -r ${patches[$i]} ]] || die "no such file: ${patches[$i]}"
	patches[i]=$(realpath -- "${patches[$i]}")
done

# Exactly one kernel must be there; never guess which one was meant.
shopt -s nullglob
# shellcheck disable=SC2206 # the pattern is to be matched
flavours=("$headers_root"/usr/src/linux-headers-$release/)
((${#flavours[@]} == 1)) ||
	die "want exactly one linux-headers-$release below $headers_root/usr/src, found ${#flavours[@]}: say --release"
flavour=${flavours[0]%/}
release=${flavour##*/linux-headers-}
abi=${release%-rt-amd64}
# From 7.2 on all flavours have their common headers in one package.
common=$headers_root/usr/src/linux-headers-$abi-common-rt
[[ -d $common ]] || common=${common%-rt}
kbuild=''
# Debian names kbuild by the release (6.12.117+deb12) or by the series (6.1).
for name in "$abi" "$(cut --delimiter=. --fields=1-2 <<<"$abi")"; do
	kbuild=$headers_root/usr/lib/linux-kbuild-$name
	[[ ! -d $kbuild ]] || break
done
[[ -d $common ]] || die "missing: $common"
[[ -d $kbuild ]] || die "missing: linux-kbuild below $headers_root/usr/lib"
shopt -u nullglob

mirror=$work/mirror
hdrs=$work/headers
log=$work/build.log
rm --recursive --force -- "$mirror" "$hdrs" "$work/build.log"
mkdir --parents -- "$mirror"

# The tools beside the headers are of the headers' release, as the compiler is.
compiler=$(sed --quiet 's/^CC = .*)\(gcc-[0-9]*\)$/\1/p' "$flavour/.kernelvariables" 2>/dev/null || true)
[[ -z $compiler ]] || command -v "$compiler" >/dev/null ||
	die "$release wants $compiler, which is not here: install it, or build on the release that the kernel is of"

# The flavour's Makefile names the common one, and from 7.2 on itself, by where
# they are installed, and its scripts and tools are links relative to that.
say "headers: $release"
cp --archive -- "$flavour" "$hdrs"
{
	! grep --quiet '^KBUILD_OUTPUT=' "$flavour/Makefile" || printf 'KBUILD_OUTPUT=%s\n' "$hdrs"
	printf 'include %s/Makefile\n' "$common"
} >"$hdrs/Makefile"
for dir in scripts tools; do
	rm --force -- "$hdrs/$dir"
	ln --symbolic -- "$kbuild/$dir" "$hdrs/$dir"
done

# Files that the patches change, "kind path": old ones have to be extracted,
# headers (old or new) have to win over the distribution's.
touched() {
	local kind=$1
	((${#patches[@]})) || return 0
	sed --quiet --regexp-extended "s#^$kind [ab]/([^\t]+).*#\1#p" "${patches[@]}" | sort --unique
}
mapfile -t old_files < <(touched '---')
mapfile -t new_files < <(touched '\+\+\+')
headers=()
twins=()
for file in "${new_files[@]+"${new_files[@]}"}"; do
	case $file in
	include/*.h | arch/x86/include/*.h) headers+=("$file") ;;
	esac
	# <linux/x.h> is both a kernel header and a user-space one; were only
	# the latter overlaid, it would hide the former.
	case $file in
	include/uapi/* | arch/x86/include/uapi/*) twins+=("${file/uapi\//}") ;;
	esac
done

say "source: extracting what is needed from ${source##*/}"
want=(arch/x86/kvm virt/kvm virt/lib drivers/vfio/pci)
want+=("${old_files[@]+"${old_files[@]}"}")
# A member missing from the archive (a file that an earlier patch of the series
# adds, a twin that does not exist) is no error here: the patches find out.
printf '*/%s\n' "${want[@]}" "${twins[@]+"${twins[@]}"}" | sort --unique >"$work/members"
tar --extract --file "$source" --directory "$mirror" --strip-components=1 \
	--wildcards --no-wildcards-match-slash --files-from "$work/members" 2>"$work/tar.log" || true
for dir in "${want[@]:0:4}"; do
	[[ -d $mirror/$dir ]] || { cat "$work/tar.log" >&2; die "no $dir in $source"; }
done

for file in "${patches[@]+"${patches[@]}"}"; do
	say "patch: ${file##*/}"
	patch --strip=1 --fuzz=0 --force --silent --directory "$mirror" --input "$file" >&2 ||
		die "does not apply: $file"
done

# The overlay: headers of the series, and the twins of its user-space ones.
for file in "${headers[@]+"${headers[@]}"}"; do
	[[ -f $mirror/$file ]] || die "patched header is missing: $file"
done
mkdir --parents -- "$mirror/include/trace" "$mirror/include/uapi" "$mirror/arch/x86/include/uapi"

# include/trace is on the path so that TRACE_INCLUDE_PATH "../../arch/x86/kvm"
# finds the mirror.  NOSTDINC_FLAGS stands before LINUXINCLUDE on the compiler's
# command line and is passed on to the sub-makes, which is what an overlay needs.
cat >"$mirror/Kbuild" <<'KBUILD'
top := $(KBUILD_EXTMOD)
NOSTDINC_FLAGS := -I$(top)/arch/x86/include -I$(top)/include \
	-I$(top)/arch/x86/include/uapi -I$(top)/include/uapi \
	-I$(top)/include/trace $(NOSTDINC_FLAGS)
export NOSTDINC_FLAGS
obj-m += arch/x86/kvm/ virt/lib/ drivers/vfio/pci/
KBUILD
# shellcheck disable=SC2016 # these are make's variables
sed --in-place \
	--expression 's#\$(srctree)/arch/x86/kvm#$(KBUILD_EXTMOD)/arch/x86/kvm -I $(KBUILD_EXTMOD)/virt/kvm#' \
	--expression 's#\$(srctree)/virt/kvm/Makefile.kvm#$(KBUILD_EXTMOD)/virt/kvm/Makefile.kvm#' \
	"$mirror/arch/x86/kvm/Makefile"
# Vendor drivers beside vfio-pci are not ours to build.
sed --in-place '/^obj-.*\/$/d' "$mirror/drivers/vfio/pci/Makefile"

# No debug information and so no BTF: neither is shipped, and it saves half of
# the time.  srcversion identifies a build by its sources.
say "build: $jobs jobs, log in ${log#"$work"/}"
start=$SECONDS
if ! make --directory "$hdrs" M="$mirror" --jobs "$jobs" \
	KCFLAGS=-g0 CONFIG_DEBUG_INFO_BTF_MODULES= CONFIG_MODULE_SRCVERSION_ALL=y \
	modules >"$log" 2>&1; then
	tail --lines=60 -- "$log" >&2
	die "build failed"
fi
say "build: done in $((SECONDS - start)) s"
if grep --extended-regexp '(warning|WARNING|ERROR|error):?' -- "$log" >&2; then
	say "the compiler or modpost warned, see above"
fi

modules=(
	arch/x86/kvm/kvm.ko
	arch/x86/kvm/kvm-amd.ko
	arch/x86/kvm/kvm-intel.ko
	virt/lib/irqbypass.ko
	drivers/vfio/pci/vfio-pci-core.ko
	drivers/vfio/pci/vfio-pci.ko
)
json=''
for module in "${modules[@]}"; do
	file=${module##*/}
	[[ -f $mirror/$module ]] || die "not built: $module"
	cp -- "$mirror/$module" "$output/$file"
	strip --strip-debug -- "$output/$file"
	vermagic=$(modinfo --field vermagic "$output/$file")
	[[ ${vermagic%% *} == "$release" ]] || die "$file: vermagic is '$vermagic', not of $release"
	entry=$(printf '    {\n      "name": "%s",\n      "file": "%s",\n      "srcversion": "%s",\n      "vermagic": "%s",\n      "sha256": "%s"\n    }' \
		"$(modinfo --field name "$output/$file")" "$file" \
		"$(modinfo --field srcversion "$output/$file")" \
		"${vermagic%"${vermagic##*[![:space:]]}"}" \
		"$(sha256sum "$output/$file" | cut --delimiter=' ' --fields=1)")
	json+=${json:+$',\n'}$entry
done
patch_json=''
for file in "${patches[@]+"${patches[@]}"}"; do
	entry=$(printf '    { "file": "%s", "sha256": "%s" }' "${file##*/}" \
		"$(sha256sum "$file" | cut --delimiter=' ' --fields=1)")
	patch_json+=${patch_json:+$',\n'}$entry
done
if [[ -n $patch_json ]]; then patch_json=$'\n'$patch_json$'\n  '; fi
cat >"$output/modules.json" <<JSON
{
  "release": "$release",
  "patches": [$patch_json],
  "modules": [
$json
  ]
}
JSON
say "output: ${#modules[@]} modules for $release"
