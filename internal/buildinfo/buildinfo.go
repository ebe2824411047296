// Package buildinfo says which build of the program is running.
package buildinfo

import (
	"runtime"
	"runtime/debug"
)

// Set by the linker (-ldflags -X), which can set package variables only.
var version, commit, date string

// Info describes a build. What is not known is "unknown".
type Info struct {
	// Version is a tag such as "v1.2.0", or what git describe makes of the commit.
	Version string `json:"version"`
	// Commit is the full hash, with "-dirty" behind it when files were changed.
	Commit string `json:"commit"`
	// Date is the commit's time in RFC 3339.
	Date string `json:"date"`
	// Go is the toolchain's version, such as "go1.26.8".
	Go string `json:"go"`
	// Platform is "os/architecture".
	Platform string `json:"platform"`
}

// Get reads what the linker was told, and for the rest what the toolchain recorded.
func Get() Info {
	info := Info{Version: version, Commit: commit, Date: date}
	if recorded, ok := debug.ReadBuildInfo(); ok {
		info.complete(recorded)
	}
	for _, field := range []*string{&info.Version, &info.Commit, &info.Date} {
		if *field == "" {
			*field = "unknown"
		}
	}
	info.Go, info.Platform = runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH
	return info
}

// String is one line: "v1.2.0 (abc789b, 2026-11-21T10:00:00Z, go1.26.8, linux/amd64)".
func (i Info) String() string {
	return i.Version + " (" + i.Commit + ", " + i.Date + ", " + i.Go + ", " + i.Platform + ")"
}

func (i *Info) complete(recorded *debug.BuildInfo) {
	setting := map[string]string{}
	for _, s := range recorded.Settings {
		setting[s.Key] = s.Value
	}
	if i.Version == "" {
		i.Version = recorded.Main.Version
	}
	if i.Commit == "" && setting["vcs.revision"] != "" {
		i.Commit = setting["vcs.revision"]
		if setting["vcs.modified"] == "true" {
			i.Commit += "-dirty"
		}
	}
	if i.Date == "" {
		i.Date = setting["vcs.time"]
	}
}
