// Package system proves what needs other programs than Go and git: those of Debian that install.sh brings. Its tests
// are behind the build tag system; `make test-system` runs them. A program that is missing fails them.
package system
