#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The one place that knows which Debian packages tardy needs. Installs those that are missing:
#
#   tools/setup.sh [build] [test] [demo]        (no group: all of them)
#   tools/setup.sh --kernel PREFIX              prints the newest downloaded kernel, "6.12"
#
# Kernels for tests/vm are downloaded (group test), not installed: a package stays in
# /var/cache/tardy, where "make clean" does not reach it, and is unpacked below build/.
#
# Made for hosts that matter: nothing is upgraded, no service that a new package brings is
# started or enabled, PostgreSQL gets no default cluster, and when nothing is missing neither
# apt nor the network is touched. "a|b" is satisfied by either; the first is what is installed.
set -eu

packages_build=(gcc make clang llvm bpftool libc6-dev libbpf-dev libelf-dev zlib1g-dev libzstd-dev
	libiberty-dev libncurses-dev 'pkg-config|pkgconf')
packages_demo=('nginx-light|nginx-core|nginx-full|nginx-extras' php-fpm php-pgsql postgresql
	iproute2 util-linux procps mount e2fsprogs xz-utils)
packages_test=(libcmocka-dev binutils clang-tools clang-format libclang-rt-dev shellcheck tmux python3
	python3-jsonschema wrk curl iproute2 procps util-linux psmisc diffutils findutils
	groff-base libbpf-tools valgrind qemu-system-x86 busybox-static cpio xz-utils e2fsprogs mount
	haproxy pgbouncer nodejs uvicorn gunicorn python3-asyncpg python3-fastapi python3-psycopg2 apache2-bin ruby varnish
	puma default-jdk-headless libtomcat10-embed-java)
# "PREFIX META": a kernel's release, and the package that depends on its newest one
kernels_test=('6.1. linux-image-cloud-amd64' '6.12. linux-image-6.12-cloud-amd64')
kernels_dir=${TARDY_KERNELS:-/var/cache/tardy}

die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

wanted() {
	local group
	for group in "$@"; do
		case $group in
		build) printf '%s\n' "${packages_build[@]}" ;;
		test) printf '%s\n' "${packages_test[@]}" "${packages_demo[@]}" ;;
		demo) printf '%s\n' "${packages_demo[@]}" ;;
		*) die "unknown group '$group' (build, test, demo)" ;;
		esac
	done | sort -u
}

# Prints the first name of each entry of which nothing is installed.
missing_of() {
	local entries=("$@") installed entry name found
	installed=" $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null |
		awk '$1 == "installed" { printf "%s ", $2 }') "
	for entry in "${entries[@]}"; do
		found=
		for name in ${entry//|/ }; do
			case $installed in *" $name "*) found=1 ;; esac
		done
		[ -n "$found" ] || printf '%s\n' "${entry%%|*}"
	done
}

# kernel_deb PREFIX: the newest one downloaded
kernel_deb() {
	find "$kernels_dir" -maxdepth 1 -name "linux-image-${1%.}.[0-9]*-cloud-*.deb" 2>/dev/null |
		sort -V | tail -n 1 | grep .
}
# Prints the entries of kernels_test that a group wants and that have not been downloaded.
missing_kernels() {
	local entry
	case " $* " in *" test "*) ;; *) return 0 ;; esac
	for entry in "${kernels_test[@]}"; do
		kernel_deb "${entry%% *}" >/dev/null || printf '%s\n' "$entry"
	done
}
# download_kernel META: what it depends on; apt checks signatures as for any package
download_kernel() {
	local image
	image=$(apt-cache depends "$1" 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
	[ -n "$image" ] || return 1
	echo "setup: downloading $image"
	# a name appears there only when all of it has been checked
	rm -rf "$kernels_dir/new"
	mkdir "$kernels_dir/new"
	(cd "$kernels_dir/new" && apt-get download -q -o APT::Sandbox::User=root "$image") &&
		mv "$kernels_dir"/new/*.deb "$kernels_dir" && rmdir "$kernels_dir/new"
}
download_kernels() {
	local entry
	mkdir -p "$kernels_dir"
	for entry in "$@"; do
		download_kernel "${entry#* }" || {
			apt-get update -q
			download_kernel "${entry#* }"
		} || die "no package ${entry#* } in Debian's suites that this host uses"
	done
}

server_units() {
	find /lib/systemd/system /usr/lib/systemd/system -maxdepth 1 \( -name 'nginx.service' \
		-o -name 'php*-fpm.service' -o -name 'postgresql.service' \
		-o -name 'apache2.service' \) -printf '%f\n' 2>/dev/null | sort -u
}

undo_files=()
cleanup() { ((${#undo_files[@]} == 0)) || rm -f "${undo_files[@]}"; }

# Until we are done no new package may start a service. An administrator's own policy stays.
forbid_services() {
	local policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		undo_files+=("$policy")
		printf '#!/bin/sh\n# made by tardy tools/setup.sh, removed when it ends\nexit 101\n' >$policy
		chmod 755 $policy
	fi
}
forbid_cluster() {
	local dir=/etc/postgresql-common/createcluster.d
	mkdir -p $dir
	undo_files+=("$dir/tardy-setup.conf")
	echo 'create_main_cluster = false' >$dir/tardy-setup.conf
}

apt_install() {
	apt-get install -y -q --no-install-recommends --no-upgrade "$@" </dev/null
}
# Package lists are fetched only when there are none, or when those there are do not do.
install_missing() {
	if ! apt-cache show "$@" >/dev/null 2>&1; then
		apt-get update -q
		apt_install "$@"
	elif ! apt_install "$@"; then
		apt-get update -q
		apt_install "$@"
	fi
}

# as_user GROUP...: what an administrator has to do
as_user() {
	((${#missing[@]} == 0)) || die "missing: ${missing[*]}
setup: install with: sudo apt-get install --no-install-recommends ${missing[*]}
setup: or let it be done without starting any service: sudo tools/setup.sh $*"
	die "kernels for the virtual machine are missing: sudo tools/setup.sh $*"
}

install_packages() {
	local before unit
	echo "setup: installing $*"
	trap cleanup EXIT
	trap 'exit 130' INT TERM HUP
	before=$(server_units)
	forbid_services
	case " $* " in *" postgresql "*) forbid_cluster ;; esac
	install_missing "$@"
	# not at the next boot either
	for unit in $(server_units); do
		case $'\n'$before$'\n' in *$'\n'"$unit"$'\n'*) continue ;; esac
		systemctl disable --quiet "$unit" 2>/dev/null || true
	done
}

main() {
	local missing kernels
	if [ "${1:-}" = --kernel ]; then
		kernel_deb "${2:?}"
		return
	fi
	(($#)) || set -- build test demo
	command -v dpkg-query >/dev/null ||
		die "no dpkg here: install by hand what corresponds to: $(wanted "$@" | tr '\n' ' ')"
	mapfile -t missing < <(mapfile -t entries < <(wanted "$@") && missing_of "${entries[@]}")
	mapfile -t kernels < <(missing_kernels "$@")
	((${#missing[@]} + ${#kernels[@]})) || return 0
	[ "$(id -u)" = 0 ] || as_user "$@"
	export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
	((${#missing[@]} == 0)) || install_packages "${missing[@]}"
	((${#kernels[@]} == 0)) || download_kernels "${kernels[@]}"
	mapfile -t missing < <(missing_of "${missing[@]}")
	((${#missing[@]} == 0)) || die "apt did not install: ${missing[*]}"
}
main "$@"
