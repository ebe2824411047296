package buildinfo

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestComplete(t *testing.T) {
	recorded := &debug.BuildInfo{
		Main: debug.Module{Version: "v1.2.0"},
		Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}, {Key: "vcs.time", Value: "2026-11-21T10:00:00Z"},
		},
	}
	tests := []struct {
		name     string
		in, want Info
	}{
		{"nothing linked", Info{}, Info{Version: "v1.2.0", Commit: "abc-dirty", Date: "2026-11-21T10:00:00Z"}},
		{"the linker wins", Info{Version: "v9", Commit: "def", Date: "d"}, Info{Version: "v9", Commit: "def", Date: "d"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := test.in
			got.complete(recorded)
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestGetLeavesNothingEmpty(t *testing.T) {
	info := Get()
	for _, field := range []string{info.Version, info.Commit, info.Date, info.Go, info.Platform} {
		if field == "" || !strings.Contains(info.String(), field) {
			t.Errorf("%q is empty or not shown in %q", field, info)
		}
	}
}
