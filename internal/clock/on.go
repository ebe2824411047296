//go:build chaos

package clock

import (
	"os"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// FileVariable names the file that says by how many seconds this process's clock is wrong; it may change at any time.
const FileVariable = "HONUA_CLOCK_FILE"

// Now is a clock that may be set wrong, and jump. As with a real one, the time that passes between two readings is not
// affected: only the wall clock's part of the reading is moved.
func Now() time.Time {
	now := time.Now()
	content, err := os.ReadFile(os.Getenv(FileVariable))
	if err != nil {
		return now
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(content)), 10, 64)
	if err != nil {
		return now
	}
	// A reading with a monotonic part holds the wall clock's seconds above 30 bits of nanoseconds in its first word.
	wall := (*uint64)(unsafe.Pointer(&now)) //nolint:gosec // there is no other way to move one part and not the other
	*wall += uint64(seconds) << 30
	return now
}
