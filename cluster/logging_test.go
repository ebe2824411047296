package cluster

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
)

func TestLibrariesLogToOurs(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	raftLogger(logger).Error("failed", "leader-id", "a", "servers", hclog.Fmt("%v", []int{1, 2}))
	raftLogger(logger).Debug("noise")
	gossipLogger(logger).Print("[WARN] memberlist: lost a packet")
	gossipLogger(logger).Print("no level")
	want := []string{
		`level=WARN msg=failed component=raft leader_id=a servers="[1 2]"`,
		`level=DEBUG msg=noise component=raft`,
		`level=INFO msg="lost a packet" component=gossip`,
		`level=DEBUG msg="no level" component=gossip`,
	}
	if got := strings.TrimSpace(out.String()); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s", got)
	}
}
