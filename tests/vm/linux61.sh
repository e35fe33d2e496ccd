#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian 12's own kernel has no socket tracepoints: tardy must refuse, and say why.
# timeout: 120
. "$(dirname "$0")/../lib/vm.sh"
vm_run 6.1 refuse 90
done_testing
