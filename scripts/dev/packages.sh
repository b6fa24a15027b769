# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What Debian 12 and 13 call the things that Cogent is built and tested with, and how to get what is missing. Sourced by
# scripts/test and scripts/quickstart.

cogent_packages=(
  gcc libc6-dev meson ninja-build pkg-config
  libevent-dev libcurl4-openssl-dev libjansson-dev libsqlite3-dev liblua5.4-dev libssl-dev libpcre2-dev zlib1g-dev
  python3
)
cogent_test_packages=(
  libcmocka-dev make procps
  # The backends of tests/backends.
  curl openssl php-cli python3-anyio python3-fastapi python3-httpx python3-jsonschema python3-jwt python3-uvicorn
)
# Without these a test is skipped, with a sentence.
cogent_wish_packages=(haproxy)
# For scripts/fuzz, and for scripts/test --coverage.
cogent_fuzz_packages=(clang libclang-rt-14-dev)
cogent_coverage_packages=(gcovr)
# What the plugins in this tree want beside that.
cogent_plugin_packages=(libstemmer-dev)

# The packages of a list that are not installed, one a line.
missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || printf '%s\n' "$package"
  done
}

# Installs what is missing of a list. Does nothing, and needs no network, when all is there.
install_packages() {
  local missing as_root=()
  if ! command -v dpkg-query >/dev/null; then
    echo "This is no Debian; these must be there by other means: $*" >&2
    return 0
  fi
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -eq 0 ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      printf 'Missing packages. As root, run:\n    apt-get install %s\n' "${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "Installing: ${missing[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" && return 0
  # The lists may be old or were never fetched.
  "${as_root[@]}" apt-get update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" && return 0
  printf 'Could not install: %s\n' "${missing[*]}" >&2
  return 1
}

# meson setup, once a folder; ccache when it is there.
setup_build() {
  local folder=$1 wanted
  shift
  wanted="$*"
  [ -f "$folder/build.ninja" ] && [ "$(cat "$folder/.cogent-setup" 2>/dev/null)" = "$wanted" ] && return 0
  if [ -f "$folder/build.ninja" ]; then
    meson setup --reconfigure "$folder" "$@" || return 1
  else
    meson setup "$folder" "$@" || return 1
  fi
  printf '%s\n' "$wanted" >"$folder/.cogent-setup"
}

# The release build of a tree, in its folder build. Quiet when it goes well.
build_release() {
  local tree=$1 words
  command -v ccache >/dev/null && [ -z "${CC:-}" ] && export CC="ccache gcc"
  if [ ! -f "$tree/build/build.ninja" ]; then
    echo "Building Cogent; this happens once." >&2
    words=$(cd "$tree" && setup_build build -Dbuildtype=release 2>&1) || { printf '%s\n' "$words" >&2; return 1; }
  fi
  words=$(ninja -C "$tree/build" 2>&1) || { printf '%s\n' "$words" >&2; return 1; }
}
