// Package faults breaks what a program runs on: system calls of a running process (strace), a disk of its own (an ext4
// file system in a file), bits of a file. Disks and strace need root, and the Debian packages that
// test/system/install.sh names. Nothing here knows of tests: every function returns its error.
package faults
