package logging

import (
	"context"
	"encoding"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// output serialises the writes of all handlers that share it.
type output struct {
	mu sync.Mutex
	w  io.Writer
}

// textHandler writes "[Information] message key=value …".
type textHandler struct {
	out    *output
	time   bool
	prefix string // of groups: "a.b."
	attrs  []byte // formatted, each with a space before it
}

func (h *textHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *textHandler) Handle(_ context.Context, r slog.Record) error {
	line := make([]byte, 0, 256)
	line = append(line, '[')
	line = append(line, LevelName(r.Level)...)
	line = append(line, ']', ' ')
	line = appendMessage(line, r.Message)
	line = append(line, h.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		line = appendAttr(line, h.prefix, a)
		return true
	})
	if h.time && !r.Time.IsZero() {
		line = appendAttr(line, "", slog.Time(slog.TimeKey, r.Time))
	}
	line = append(line, '\n')
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	_, err := h.out.w.Write(line)
	return err
}

func (h *textHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.attrs = slices.Clip(h.attrs)
	for _, a := range attrs {
		next.attrs = appendAttr(next.attrs, h.prefix, a)
	}
	return &next
}

func (h *textHandler) WithGroup(name string) slog.Handler {
	next := *h
	if name != "" {
		next.prefix += name + "."
	}
	return &next
}

func appendAttr(line []byte, prefix string, a slog.Attr) []byte {
	value := a.Value.Resolve()
	if a.Key == "" && value.Kind() != slog.KindGroup {
		return line
	}
	if value.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, member := range value.Group() {
			line = appendAttr(line, prefix, member)
		}
		return line
	}
	line = append(line, ' ')
	line = appendText(line, prefix+a.Key)
	line = append(line, '=')
	return appendText(line, render(value))
}

func render(value slog.Value) string {
	switch value.Kind() {
	case slog.KindTime:
		return value.Time().UTC().Format("2006-01-02T15:04:05.000Z07:00")
	case slog.KindAny:
		return renderAny(value.Any())
	default:
		return value.String()
	}
}

// renderAny never panics, whatever a value's own methods do: a log line must not end the program.
func renderAny(value any) (out string) {
	defer func() {
		if problem := recover(); problem == nil {
			return
		} else if v := reflect.ValueOf(value); v.Kind() == reflect.Pointer && v.IsNil() {
			out = "<nil>"
		} else {
			out = fmt.Sprintf("!PANIC: %v", problem)
		}
	}()
	switch v := value.(type) {
	case error:
		return fmt.Sprint(v) // not v.Error(): fmt survives a nil pointer
	case time.Time:
		return render(slog.TimeValue(v))
	case encoding.TextMarshaler:
		if text, err := v.MarshalText(); err == nil {
			return string(text)
		}
	case []byte:
		return string(v)
	}
	return fmt.Sprintf("%+v", value)
}

// appendText quotes what would otherwise not be one word on one line.
func appendText(line []byte, text string) []byte {
	plain := text != ""
	for _, r := range text {
		if r <= ' ' || r == '=' || r == '"' || r == utf8.RuneError || !strconv.IsPrint(r) {
			plain = false
			break
		}
	}
	if plain {
		return append(line, text...)
	}
	return strconv.AppendQuote(line, text)
}

// appendMessage keeps a message on its line: nothing that came from outside can pretend to be another.
func appendMessage(line []byte, message string) []byte {
	for _, r := range message {
		if strconv.IsPrint(r) {
			line = utf8.AppendRune(line, r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		line = append(line, quoted[1:len(quoted)-1]...)
	}
	return line
}
