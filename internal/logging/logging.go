package logging

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
)

// ComponentKey is the attribute that names a logger's component.
const ComponentKey = "component"

// Formats of Config.
const (
	FormatText = "text"
	FormatJSON = "json"
)

// ErrConfig is wrapped by errors about a Config.
var ErrConfig = errors.New("invalid logging configuration")

// Config says where lines go and how they look.
type Config struct {
	// Output gets one Write for each line, never two at once.
	Output io.Writer
	// Format is FormatText or FormatJSON.
	Format string
	// Levels decide what is written; they may be changed later.
	Levels *Levels
	// Time ends text lines with time=…; journald has its own. JSON always has it.
	Time bool
}

// Validate reports what is missing.
func (c Config) Validate() error {
	switch {
	case c.Output == nil || c.Levels == nil:
		return errors.Join(ErrConfig, errors.New("output and levels are required"))
	case c.Format != FormatText && c.Format != FormatJSON:
		return errors.Join(ErrConfig, errors.New(`format must be "text" or "json"`))
	}
	return nil
}

// New returns a logger for the whole program.
func New(c Config) (*slog.Logger, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	var inner slog.Handler
	if c.Format == FormatJSON {
		inner = slog.NewJSONHandler(c.Output, &slog.HandlerOptions{Level: slog.Level(math.MinInt), ReplaceAttr: nameLevel})
	} else {
		inner = &textHandler{out: &output{w: c.Output}, time: c.Time}
	}
	return slog.New(&handler{inner: inner, levels: c.Levels, level: c.Levels.of("")}), nil
}

// nameLevel gives JSON the same level names as text.
func nameLevel(groups []string, a slog.Attr) slog.Attr {
	if level, ok := a.Value.Any().(slog.Level); ok && len(groups) == 0 && a.Key == slog.LevelKey {
		a.Value = slog.StringValue(LevelName(level))
	}
	return a
}

// handler decides by component what goes on to the inner handler.
type handler struct {
	inner   slog.Handler
	levels  *Levels
	level   *slog.LevelVar
	grouped bool // a component inside a group is somebody's data
}

func (h *handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level.Level() }

func (h *handler) Handle(ctx context.Context, r slog.Record) error { return h.inner.Handle(ctx, r) }

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.inner = h.inner.WithAttrs(attrs)
	for _, a := range attrs {
		if a.Key == ComponentKey && !h.grouped {
			next.level = h.levels.of(a.Value.Resolve().String())
		}
	}
	return &next
}

func (h *handler) WithGroup(name string) slog.Handler {
	next := *h
	next.inner = h.inner.WithGroup(name)
	next.grouped = h.grouped || name != ""
	return &next
}
