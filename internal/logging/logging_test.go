package logging

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"
)

func newLogger(t testing.TB, c Config, fallback string, overrides map[string]string) (*slog.Logger, *bytes.Buffer) {
	t.Helper()
	levels, err := NewLevels(fallback, overrides)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c.Levels, c.Output = levels, &out
	if c.Format == "" {
		c.Format = FormatText
	}
	logger, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return logger, &out
}

type token string

func (token) LogValue() slog.Value { return slog.StringValue("[redacted]") }

func TestTextLines(t *testing.T) {
	at := time.Date(2026, 11, 21, 10, 0, 0, 123e6, time.FixedZone("", 3600))
	tests := []struct {
		name string
		log  func(*slog.Logger)
		want string
	}{
		{"message only", func(l *slog.Logger) { l.Info("GitWatcher started. Watching branch 'main' every 30 seconds") },
			"[Information] GitWatcher started. Watching branch 'main' every 30 seconds"},
		{"levels", func(l *slog.Logger) { l.Debug("d"); l.Warn("w"); l.Error("e") }, "[Debug] d\n[Warning] w\n[Error] e"},
		{"values", func(l *slog.Logger) {
			l.Info("m", "s", "two words", "n", 3, "b", true, "d", 1500*time.Millisecond, "t", at, "err", errors.New("a=b"), "empty", "", "bytes", []byte("x"))
		}, `[Information] m s="two words" n=3 b=true d=1.5s t=2026-11-21T09:00:00.123Z err="a=b" empty="" bytes=x`},
		{"with and groups", func(l *slog.Logger) {
			l.With("component", "gitsync").WithGroup("g").With("a", 1).Info("m", "b", 2, slog.Group("h", "c", 3), slog.Group("", "d", 4))
		}, "[Information] m component=gitsync g.a=1 g.b=2 g.h.c=3 g.d=4"},
		{"secrets", func(l *slog.Logger) {
			l.With("w", token("canary")).Info("m", "k", token("canary"), slog.Group("g", "k", token("canary")))
		},
			"[Information] m w=[redacted] k=[redacted] g.k=[redacted]"},
		{"a message stays on its line", func(l *slog.Logger) { l.Info("a\n[Error] forged\x1b[31m\u202e", "k", "x\ny") },
			`[Information] a\n[Error] forged\x1b[31m\u202e k="x\ny"`},
		{"nil values", func(l *slog.Logger) { l.Info("m", "err", error(nil), "p", (*time.Time)(nil)) }, "[Information] m err=<nil> p=<nil>"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			logger, out := newLogger(t, Config{}, "Debug", nil)
			test.log(logger)
			if got := strings.TrimSuffix(out.String(), "\n"); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestTimeComesLast(t *testing.T) {
	logger, out := newLogger(t, Config{Time: true}, "Debug", nil)
	logger.Info("m", "k", 1)
	if got := out.String(); !strings.HasPrefix(got, "[Information] m k=1 time=2") {
		t.Errorf("got %q", got)
	}
}

func TestJSON(t *testing.T) {
	logger, out := newLogger(t, Config{Format: FormatJSON}, "Debug", nil)
	logger.Warn("m", "k", token("canary"), slog.Group("g", "level", slog.LevelInfo))
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["level"] != "Warning" || line["k"] != "[redacted]" || line["time"] == nil {
		t.Errorf("got %v", line)
	}
}

func TestHandlerKeepsSlogsRules(t *testing.T) {
	var out *bytes.Buffer
	slogtest.Run(t, func(t *testing.T) slog.Handler {
		var logger *slog.Logger
		logger, out = newLogger(t, Config{Format: FormatJSON}, "Debug", nil)
		return logger.Handler()
	}, func(t *testing.T) map[string]any {
		var line map[string]any
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		return line
	})
}

func TestLevelsByComponent(t *testing.T) {
	overrides := map[string]string{
		"gitsync": "Debug", "gitsync.fetch": "Error", "Honua.Server.Core.GitOps": "Verbose", "Honua.Server.Core.Deployment": "Warning",
	}
	tests := map[string]slog.Level{
		"": slog.LevelInfo, "api": slog.LevelInfo, "gitsync": slog.LevelDebug, "gitsync.poll": slog.LevelDebug,
		"gitsync.fetch": slog.LevelError, "gitsyncer": slog.LevelInfo, "GitSync": slog.LevelDebug,
		"reconciler/leader": LevelVerbose, "reconciler": LevelVerbose, "fsm": slog.LevelWarn,
	}
	for component, want := range tests {
		logger, _ := newLogger(t, Config{}, "Information", overrides)
		if component != "" {
			logger = logger.With(ComponentKey, component)
		}
		if !logger.Enabled(t.Context(), want) || logger.Enabled(t.Context(), want-1) {
			t.Errorf("component %q: its level is not %v", component, want)
		}
	}
}

func TestLevelsChangeAtRunTime(t *testing.T) {
	logger, _ := newLogger(t, Config{}, "Information", nil)
	component := logger.With(ComponentKey, "gitsync").WithGroup("g").With("component", "inside a group, and so data")
	levels := logger.Handler().(*handler).levels
	if component.Enabled(t.Context(), slog.LevelDebug) {
		t.Fatal("Debug before the change")
	}
	if err := levels.Set("Error", map[string]string{"gitsync": "Debug"}); err != nil {
		t.Fatal(err)
	}
	if !component.Enabled(t.Context(), slog.LevelDebug) || logger.Enabled(t.Context(), slog.LevelWarn) {
		t.Error("the change does not reach loggers that exist")
	}
	for _, bad := range []error{levels.Set("loud", nil), levels.Set("Debug", map[string]string{"x": "loud"})} {
		if !errors.Is(bad, ErrLevel) {
			t.Errorf("got %v", bad)
		}
	}
	if logger.Enabled(t.Context(), slog.LevelWarn) {
		t.Error("a refused change had an effect")
	}
}

func TestLevelNames(t *testing.T) {
	for _, level := range []slog.Level{LevelVerbose, slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError, LevelFatal} {
		if got, err := ParseLevel(LevelName(level)); err != nil || got != level {
			t.Errorf("%v -> %q -> %v, %v", level, LevelName(level), got, err)
		}
	}
}

func TestConfigValidate(t *testing.T) {
	levels, err := NewLevels("Debug", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []Config{{}, {Output: io.Discard, Levels: levels, Format: "xml"}, {Output: io.Discard, Format: FormatText}} {
		if _, err := New(c); !errors.Is(err, ErrConfig) {
			t.Errorf("New(%+v) = %v", c, err)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	logger, out := newLogger(t, Config{}, "Information", nil)
	levels := logger.Handler().(*handler).levels
	base := logger.With("a", 1)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			own := base.With(ComponentKey, "gitsync", "b", 2)
			for range 100 {
				own.Info("m", "c", 3)
			}
		})
	}
	group.Go(func() {
		for range 100 {
			if err := levels.Set("Information", map[string]string{"gitsync": "Debug"}); err != nil {
				t.Error(err)
			}
		}
	})
	group.Wait()
	want := strings.Repeat("[Information] m a=1 component=gitsync b=2 c=3\n", 800)
	if out.String() != want {
		t.Error("lines are missing or mixed")
	}
}

func BenchmarkText(b *testing.B) {
	levels, err := NewLevels("Information", nil)
	if err != nil {
		b.Fatal(err)
	}
	logger, err := New(Config{Output: io.Discard, Format: FormatText, Levels: levels})
	if err != nil {
		b.Fatal(err)
	}
	logger = logger.With(ComponentKey, "gitsync")
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		logger.LogAttrs(ctx, slog.LevelInfo, "Detected new commit", slog.String("commit", "abc789b"), slog.Int("files", 3))
	}
}
