package gitsync

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

const (
	maxNameBytes = 255
	maxPathBytes = 1024
	maxDepth     = 16
)

// nameProblem says why a file or folder name is refused in an environment's folders; "" if it
// is fine. Refused is what some system or tool would take for something else: the bundle must
// mean the same on every node, in every editor and in every diff.
func nameProblem(name string) string {
	switch {
	case name == "" || name == "." || name == "..":
		return "is not a name"
	case len(name) > maxNameBytes:
		return fmt.Sprintf("has a name longer than %d bytes", maxNameBytes)
	case !utf8.ValidString(name):
		return "has a name that is not UTF-8"
	case strings.ContainsFunc(name, isHidden):
		return "has a control, direction or invisible character in its name"
	case strings.ContainsAny(name, `/\:`):
		return `has one of / \ : in its name`
	case strings.HasSuffix(name, ".") || strings.HasSuffix(name, " "):
		return "has a name that ends with a dot or a space"
	case strings.EqualFold(name, ".git") || strings.EqualFold(name, "git~1"):
		return "is named like Git's own folder"
	case isDevice(name):
		return "is named like a device"
	}
	return ""
}

// isHidden reports characters that do not show, or that change how others show.
func isHidden(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs) || r == utf8.RuneError
}

// isDevice reports the names that Windows reserves, with any extension.
func isDevice(name string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	stem = strings.TrimRight(stem, " ")
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	if len(stem) < 4 || (stem[:3] != "COM" && stem[:3] != "LPT") {
		return false
	}
	return strings.ContainsAny(stem[3:], "0123456789¹²³") && utf8.RuneCountInString(stem) == 4
}

// foldName returns the form under which names collide on some file system.
func foldName(name string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFD.String(name)))
}

// printable returns a path fit for messages: quoted if something in it does not show.
func printable(path string) string {
	if len(path) > 256 {
		path = path[:256] + "…"
	}
	if utf8.ValidString(path) && !strings.ContainsFunc(path, isHidden) {
		return path
	}
	return fmt.Sprintf("%+q", path)
}
