# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots another kernel of Debian in a virtual machine and runs one of tests/vm/guest/*.sh in it.
# The machine has no network, no disk but one to bring results home, and emulates every
# instruction (KVM is not everywhere). Its root is an initramfs of this host's own programs with
# their libraries, kept in $TARDY_BUILD/vm until one of them changes. tools/setup.sh downloads the
# kernels; nothing of them is installed.

. "$(dirname "${BASH_SOURCE[0]}")/check.sh"
export PYTHONDONTWRITEBYTECODE=1
VM_DIR=$TARDY_BUILD/vm
VM_MEMORY=1024 # MiB

# what the guest's scripts and the oracle's run.sh call
VM_PROGRAMS="bash awk busybox nginx ip tc tcprtt losetup mount umount mkfs.ext4 dmesg"
VM_COREUTILS="basename cat chmod comm cp cut date dirname head ln ls mkdir mktemp mv paste readlink rm
	rmdir seq sleep sort stat tail tee timeout touch tr truncate uniq wc"
# in the order in which they need each other; what a kernel has no file of is built in
VM_MODULES="virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk loop
	veth sch_netem"

# vm_kernel RELEASE-PREFIX: $VM_KERNEL (image), $VM_LIB (its modules), from the newest package
vm_kernel() {
	local deb
	deb=$("$TARDY_ROOT/tools/setup.sh" --kernel "$1") || bail "no kernel $1" \
		"tools/setup.sh test downloads it"
	VM_ROOT=$VM_DIR/$(basename "${deb%%_*}")
	if [ ! "$VM_ROOT/.done" -nt "$deb" ]; then
		rm -rf "$VM_ROOT"
		mkdir -p "$VM_ROOT"
		dpkg-deb -x "$deb" "$VM_ROOT" && touch "$VM_ROOT/.done" || bail "cannot unpack $deb"
	fi
	VM_KERNEL=$(echo "$VM_ROOT"/boot/vmlinuz-*)
	VM_LIB=$(echo "$VM_ROOT"/lib/modules/*)
	[ -f "$VM_KERNEL" ] && [ -d "$VM_LIB" ] || bail "$deb has no kernel"
}

# vm_copy ROOT FILE [NAME]: a program and the libraries that it is linked with; symbolic links that
# the host has on the way there become folders
vm_copy() {
	local root=$1 file=$2 name=${3:-$2} lib
	[ -f "$file" ] || bail "the virtual machine needs $file"
	install -D -m 0755 "$file" "$root$name"
	for lib in $(ldd "$file" 2>/dev/null | grep -oE '/[^ ]+'); do
		[ -e "$root$lib" ] || install -D -m 0755 "$lib" "$root$lib"
	done
}

# vm_inputs: all files that the initramfs is made of
vm_inputs() {
	local p
	printf '%s\n' "$TARDY" "$TARDY_BUILD"/oracle/oracle_{server,client,compare} \
		"$TARDY_ROOT"/tests/vm/guest/*.sh "$TARDY_ROOT/tests/oracle/run.sh" \
		"$TARDY_ROOT/tests/lib/vm.sh" "$VM_KERNEL"
	for p in $VM_PROGRAMS $VM_COREUTILS; do
		command -v "$p" || echo "$p is missing"
	done
}

vm_stage() {
	local root=$1 p module file
	mkdir -p "$root"/{bin,sbin,dev,proc,sys,tmp,run,etc,root,out,var/tmp,usr/bin,usr/sbin,modules}
	for p in $VM_PROGRAMS $VM_COREUTILS; do
		vm_copy "$root" "$(readlink -f "$(command -v "$p")")" "/usr/bin/$p"
	done
	ln -s ../usr/bin/bash "$root/bin/bash"
	ln -s ../usr/bin/bash "$root/bin/sh"
	vm_copy "$root" "$TARDY" /build/tardy
	for p in server client compare; do
		vm_copy "$root" "$TARDY_BUILD/oracle/oracle_$p" "/build/oracle/oracle_$p"
	done
	install -m 0755 "$TARDY_ROOT"/tests/vm/guest/*.sh "$root"
	mv "$root/init.sh" "$root/init"
	install -m 0755 "$TARDY_ROOT/tests/oracle/run.sh" "$root/oracle.sh"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	for module in $VM_MODULES; do
		file=$(find "$VM_LIB" -name "$module.ko*" | head -n 1)
		case $file in
		*.xz) xz -dc "$file" >"$root/modules/$module.ko" ;;
		*.ko) cp "$file" "$root/modules/" ;;
		esac
	done
}

# vm_image: $VM_IMAGE, the initramfs, not compressed: the machine would take longer to unpack it
vm_image() {
	local stamp
	VM_IMAGE=$VM_ROOT.cpio
	stamp=$(vm_inputs | xargs -d '\n' stat -L -c '%n %s %y') || bail "not all is there" "$(vm_inputs)"
	if [ "$stamp" = "$(cat "$VM_IMAGE.stamp" 2>/dev/null)" ] && [ -f "$VM_IMAGE" ]; then
		return
	fi
	vm_stage "$TMP/root"
	(cd "$TMP/root" && find . | cpio -o -H newc --quiet -R 0:0) >"$VM_IMAGE" ||
		bail "cpio failed"
	printf '%s\n' "$stamp" >"$VM_IMAGE.stamp"
	rm -rf "$TMP/root"
}

# vm_run RELEASE-PREFIX SCRIPT SECONDS [PROCESSORS]: boots, runs, turns the machine off. What the
# guest says becomes checks (relay in check.sh); its files are then in $VM_OUT, the kernel's log in
# $TMP/console.
#
# The machine's time is its instructions, one nanosecond each (-icount): to all that runs there it is
# as fast as a real one, nothing that this host does meanwhile disturbs its clocks, and when it idles
# its time jumps to the next timer. Several processors take turns of up to a timer tick: what they
# do is right, but their clocks are not worth comparing. (With a thread of this host for each,
# QEMU 7.2 may still run an instruction that another one has just patched.)
vm_run() {
	local begin=$EPOCHREALTIME rc=0
	vm_kernel "$1"
	vm_image
	VM_OUT=$TMP/out
	rm -rf "$VM_OUT" "$TMP/disk"
	mkdir -p "$VM_OUT"
	truncate -s 64M "$TMP/disk"
	: >"$TMP/said"
	timeout -k 5 "$3" qemu-system-x86_64 -accel tcg -cpu max -smp "${4:-1}" -icount shift=0,sleep=off \
		-m "$VM_MEMORY" -nic none -nodefaults -no-user-config -display none -no-reboot \
		-monitor none -kernel "$VM_KERNEL" -initrd "$VM_IMAGE" \
		-append "console=ttyS0 panic=-1 oops=panic tsc=reliable quiet tardy.run=$2" \
		-drive "if=none,id=out,format=raw,file=$TMP/disk" -device virtio-blk-pci,drive=out \
		-serial "file:$TMP/console" -serial "file:$TMP/said" </dev/null 2>"$TMP/qemu.err" || rc=$?
	printf '# Linux %s, processors: %d, %.1f s from power on to power off\n' "$1" "${4:-1}" \
		"$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')"
	[ "$rc" = 0 ] || fail "the machine ran to its end" "qemu's exit status $rc" \
		"$(tail -n 5 "$TMP/qemu.err")" "$(tail -n 40 "$TMP/console")"
	relay "$TMP/said" || fail "the guest found nothing to check"
	grep -q '^end' "$TMP/said" || fail "the guest's script ran to its end" \
		"$(tail -n 10 "$TMP/said")" "$(tail -n 40 "$TMP/console")"
	tar -C "$VM_OUT" -xf "$TMP/disk" 2>/dev/null || fail "the guest's files arrived"
	vm_console
}

# the console has errors and above, from the first moment to the last; dmesg also the rest
vm_console() {
	local bad
	bad=$(grep -ahE 'BUG:|WARNING:|Oops|general protection|soft lockup|rcu.*stall|Call Trace|Kernel panic' \
		"$TMP/console" "$VM_OUT/dmesg")
	if [ -z "$bad" ] && [ -s "$VM_OUT/dmesg" ]; then
		pass "the kernel's log is clean"
	else
		fail "the kernel's log" "$bad" "$(tail -n 60 "$TMP/console")"
	fi
}
