//go:build chaos

package failpoint

import (
	"os"
	"strings"
	"syscall"
	"time"
)

// Enabled reports whether this build has windows.
const Enabled = true

// FileVariable names the file that says in which window to end the process; it may change at any time. The window in
// which the process did end is in the file with ReachedSuffix, one to a line.
const (
	FileVariable  = "HONUA_FAILPOINT_FILE"
	ReachedSuffix = ".reached"
)

// Reach ends the process with SIGKILL if its window is the one that the file names. The file is removed first, so that
// the next life of the process gets past the window.
func Reach(w Window) {
	path := os.Getenv(FileVariable)
	if path == "" {
		return
	}
	content, err := os.ReadFile(path)
	if err != nil || strings.TrimSpace(string(content)) != string(w) || os.Remove(path) != nil {
		return
	}
	if file, err := os.OpenFile(path+ReachedSuffix, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err == nil {
		_, _ = file.WriteString(string(w) + "\n")
		_ = file.Close()
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	for { // the signal is on its way: not one step further
		time.Sleep(time.Hour) //nolint:forbidigo // this process has ended
	}
}
