#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: kernel-matrix.sh [kernel...]     names from tests/kernels/kernels.txt; all when none is given
# Runs the tests with the labels kernel and netns, the agent and the command line on Debian's kernels,
# each in a virtual machine, one at a time, and writes docs/KERNELS.md when all kernels ran. Takes
# some 15 minutes on two CPUs. Needs x86_64 and no root. The packages come from this machine's own mirror, or $ORB8_DEBIAN_MIRROR; they
# are unpacked below build/kernels, where the machines' logs are as well.
set -euo pipefail
cd "$(dirname "$0")/.."

here=tests/kernels
work=build/kernels
# An emulated processor is so many times slower than what the tests' timeouts are made for.
slower=2
give_up_s=1500

die() {
  echo "kernels: $*" >&2
  exit 1
}

[[ $(uname -m) == x86_64 ]] || die "runs on x86_64 only"
scripts/install-deps.sh qemu-system-x86 cpio busybox-static
mkdir -p "$work"

mapfile -t kernels < <(grep -v '^#' "$here/kernels.txt")
known=" $(cut -d ' ' -f 1 < <(printf '%s\n' "${kernels[@]}") | tr '\n' ' ')"
for name; do
  [[ $known == *" $name "* ]] || die "there is no kernel $name; there are:$known(tests/kernels/kernels.txt)"
done

# The tests by their labels, whatever their names: name, program, timeout.
list_tests() {
  ctest --test-dir build/release --show-only=json-v1 --label-regex '^(kernel|netns)$' |
    jq -r --argjson slower "$slower" '.tests[] | [.name, .command[0],
      (.properties[] | select(.name == "TIMEOUT") | .value * $slower | floor)] | @tsv'
}
scripts/build.sh release orb8_tests orb8 orb8-agent
list_tests >"$work/tests.txt"
[[ -s $work/tests.txt ]] || die "no test has the label kernel or netns"
"$here/initramfs.sh" programs "$work/programs.cpio" "$work/tests.txt" build/bin

# What the kernel of this version cannot pass, as one GoogleTest pattern.
filter_of() {
  local version=$1 first tests
  while IFS='|' read -r first _ _ tests; do
    [[ $first != \#* && $tests == *[![:space:]]* ]] || continue
    first=${first// /}
    if [[ $first == emulated ]] || dpkg --compare-versions "$version" lt "$first"; then
      echo -n "${tests// /}:"
    fi
  done <"$here/features.txt"
}

# What an emulator is slow at: fast string copies (erms, fsrm) go byte by byte, and the verifier copies a
# lot; a program at another address each time (randmaps) is translated each time.
boot() {
  local folder=$1
  rm -f "$folder"/{console,tests}.log
  timeout "$give_up_s" qemu-system-x86_64 -accel tcg -cpu max,-erms,-fsrm -smp 2 -m 2G \
    -nodefaults -display none -no-reboot -kernel "$folder/vmlinuz" -initrd "$folder/initrd" \
    -append "console=ttyS0 quiet panic=-1 mitigations=off random.trust_cpu=on rcupdate.rcu_expedited=1 norandmaps" \
    -serial "file:$folder/console.log" -serial "file:$folder/tests.log" ||
    echo "kernels: qemu ended with $?, see $folder/console.log" >&2
}

# run_kernel <name> <suite>...
run_kernel() {
  local name=$1 folder=$work/$1 start=$SECONDS
  "$here/fetch.sh" "$name" "$folder" "${@:2}" || return 1
  local release
  release=$(cat "$folder/release")
  "$here/initramfs.sh" modules "$folder/modules.cpio" "$folder" "$(filter_of "${release%%[-+]*}")"
  cat "$work/programs.cpio" "$folder/modules.cpio" >"$folder/initrd"
  # A kernel that patches its own code stops the other processor by an int3, which the emulator may
  # deliver when the code is whole again and nobody knows of it: that machine is run once more.
  for _ in 1 2 3; do
    boot "$folder"
    grep -q 'Oops: int3' "$folder/console.log" || break
    echo "kernels: $name: the emulator stumbled over patched code; once more"
  done
  rm -f "$folder"/{initrd,modules.cpio}
  "$here/report.py" summary "$folder" "$work/tests.txt" $((SECONDS - start))
}

failed=0
for line in "${kernels[@]}"; do
  read -ra words <<<"$line"
  (($# == 0)) || [[ " $* " == *" ${words[0]} "* ]] || continue
  run_kernel "${words[@]}" || failed=1
done
if (($# == 0)); then
  "$here/report.py" document "$work" "$here" >"$work/KERNELS.md" || die "docs/KERNELS.md stays as it was"
  mv "$work/KERNELS.md" docs/KERNELS.md
fi
((failed == 0)) || die "not all is well; the logs are $work/*/tests.log"
