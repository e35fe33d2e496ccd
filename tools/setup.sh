#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The one place that knows which Debian packages tardy needs. Installs those that are missing:
#
#   tools/setup.sh [build] [test] [demo]        (no group: all of them)
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
	libbpf-tools valgrind)

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

main() {
	local missing before unit
	(($#)) || set -- build test demo
	command -v dpkg-query >/dev/null ||
		die "no dpkg here: install by hand what corresponds to: $(wanted "$@" | tr '\n' ' ')"
	mapfile -t missing < <(mapfile -t entries < <(wanted "$@") && missing_of "${entries[@]}")
	((${#missing[@]})) || return 0
	if [ "$(id -u)" != 0 ]; then
		die "missing: ${missing[*]}
setup: install with: sudo apt-get install --no-install-recommends ${missing[*]}
setup: or let it be done without starting any service: sudo tools/setup.sh $*"
	fi
	echo "setup: installing ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
	trap cleanup EXIT
	trap 'exit 130' INT TERM HUP
	before=$(server_units)
	forbid_services
	case " ${missing[*]} " in *" postgresql "*) forbid_cluster ;; esac
	install_missing "${missing[@]}"
	# not at the next boot either
	for unit in $(server_units); do
		case $'\n'$before$'\n' in *$'\n'"$unit"$'\n'*) continue ;; esac
		systemctl disable --quiet "$unit" 2>/dev/null || true
	done
	mapfile -t missing < <(missing_of "${missing[@]}")
	((${#missing[@]} == 0)) || die "apt did not install: ${missing[*]}"
}
main "$@"
