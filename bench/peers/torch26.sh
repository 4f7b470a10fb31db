#!/usr/bin/env bash
# Puts PyTorch 2.6 into a folder, beside whatever PyTorch the machine has, and makes an interpreter that the bench can use:
#
#   sudo bash bench/peers/torch26.sh ../torch26
#   npm run bench -- models --python /usr/bin/python3,../torch26/python
#
# The folder holds a small Debian 13 (trixie) with python3-torch, which mmdebstrap makes of the packages of the machine's own Debian source. It takes some minutes
# and 2 GB. `python` in it is a script that runs that Debian's interpreter with the folder as its root. This needs root, and this repository has to be visible
# inside, so it is mounted there; run the script again after the machine has started anew. To remove the folder, unmount first: --unmount FOLDER.
set -euo pipefail

usage='usage: torch26.sh FOLDER, or torch26.sh --unmount FOLDER'
repository=$(realpath "$(dirname "$0")/../..")
unmount=false
if [ "${1:-}" = --unmount ]; then unmount=true; shift; fi
folder=$(realpath -m "${1:?$usage}")
root=$folder/root

if $unmount; then
  for path in "$repository" /dev /sys /proc; do if mountpoint -q "$root$path"; then umount --recursive "$root$path"; fi; done
  echo "unmounted; $folder can be removed"
  exit
fi

if [ ! -x "$root/usr/bin/python3" ]; then
  command -v mmdebstrap >/dev/null || { echo 'torch26.sh needs mmdebstrap: apt-get install mmdebstrap' >&2; exit 1; }
  # The first Debian source of this machine that is not the one of security updates.
  mirror=$(grep -hsE '^(deb |URIs:)' /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources | grep -v security | grep -oE -m 1 'https?://[^ ]*debian[^ ]*' || true)
  [ -n "$mirror" ] || { echo 'torch26.sh found no Debian source in /etc/apt' >&2; exit 1; }
  mkdir -p "$folder"
  mmdebstrap --variant=minbase --mode=root --include=python3-torch,python3-numpy,libopenblas0-openmp trixie "$root" \
    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main"
fi

# Without /proc and /sys PyTorch does not see which vectors the processor has.
for path in /proc /sys /dev; do mountpoint -q "$root$path" || mount --rbind --make-rslave "$path" "$root$path"; done
mkdir -p "$root$repository"
mountpoint -q "$root$repository" || mount --bind "$repository" "$root$repository"

cat >"$folder/python" <<WRAPPER
#!/bin/sh
exec env UCX_LOG_LEVEL=fatal chroot "$root" /usr/bin/python3 "\$@"
WRAPPER
chmod +x "$folder/python"
"$folder/python" -c 'import torch; print("PyTorch", torch.__version__, "at", torch.backends.cpu.get_cpu_capability())'
echo "its interpreter: $folder/python"
