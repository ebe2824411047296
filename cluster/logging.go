package cluster

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"strings"

	"github.com/hashicorp/go-hclog"
)

// raftLogger makes raft write to a slog logger.
func raftLogger(to *slog.Logger) hclog.Logger {
	logger := hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: "raft", Level: hclog.Off, Output: io.Discard})
	logger.RegisterSink(raftSink{to.With("component", "raft")})
	return logger
}

type raftSink struct{ to *slog.Logger }

// Accept receives one message of raft's.
func (s raftSink) Accept(_ string, level hclog.Level, message string, args ...any) {
	s.to.Log(context.Background(), slogLevel(level), message, plain(args)...) //nolint:forbidigo // hclog hands over no context
}

func slogLevel(level hclog.Level) slog.Level {
	switch {
	case level >= hclog.Error:
		// What raft calls an error is mostly a peer that is away, repeated
		// several times a second.
		return slog.LevelWarn
	case level == hclog.Warn:
		return slog.LevelInfo
	default:
		return slog.LevelDebug
	}
}

// plain makes keys snake_case and values printable.
func plain(args []any) []any {
	out := make([]any, len(args))
	for i, arg := range args {
		switch value := arg.(type) {
		case string:
			if i%2 == 0 {
				arg = strings.NewReplacer("-", "_", " ", "_").Replace(value)
			}
		case hclog.Format:
			arg = formatted(value)
		}
		out[i] = arg
	}
	return out
}

// gossipLogger makes memberlist, which knows only the standard logger, write to slog.
func gossipLogger(to *slog.Logger) *log.Logger {
	return log.New(gossipWriter{to.With("component", "gossip")}, "", 0)
}

type gossipWriter struct{ to *slog.Logger }

// Write receives one line, such as "[WARN] memberlist: …".
func (w gossipWriter) Write(line []byte) (int, error) {
	level, text := slog.LevelDebug, bytes.TrimSpace(line)
	for _, prefix := range []struct {
		text  string
		level slog.Level
	}{
		{"[ERR] ", slog.LevelWarn}, {"[ERROR] ", slog.LevelWarn}, {"[WARN] ", slog.LevelInfo},
		{"[INFO] ", slog.LevelDebug}, {"[DEBUG] ", slog.LevelDebug},
	} {
		if rest, ok := bytes.CutPrefix(text, []byte(prefix.text)); ok {
			level, text = prefix.level, bytes.TrimPrefix(rest, []byte("memberlist: "))
			break
		}
	}
	w.to.Log(context.Background(), level, string(text)) //nolint:forbidigo // log.Logger hands over no context
	return len(line), nil
}

func formatted(f hclog.Format) string {
	if len(f) == 0 {
		return ""
	}
	format, ok := f[0].(string)
	if !ok {
		return ""
	}
	return fmt.Sprintf(format, f[1:]...)
}
