package logging

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// Levels of the two names that slog has none for.
const (
	LevelVerbose = slog.LevelDebug - 4
	LevelFatal   = slog.LevelError + 4
)

// ErrLevel is wrapped by errors about a level's name.
var ErrLevel = errors.New("unknown log level")

// ParseLevel reads "Verbose", "Debug", "Information", "Warning", "Error" or "Fatal", regardless of case.
func ParseLevel(name string) (slog.Level, error) {
	for _, level := range []slog.Level{LevelVerbose, slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError, LevelFatal} {
		if strings.EqualFold(name, LevelName(level)) {
			return level, nil
		}
	}
	return 0, fmt.Errorf("%w %q; use Verbose, Debug, Information, Warning, Error or Fatal", ErrLevel, name)
}

// LevelName is the name that a line shows; levels between two names have the lower one's.
func LevelName(level slog.Level) string {
	switch {
	case level < slog.LevelDebug:
		return "Verbose"
	case level < slog.LevelInfo:
		return "Debug"
	case level < slog.LevelWarn:
		return "Information"
	case level < slog.LevelError:
		return "Warning"
	case level < LevelFatal:
		return "Error"
	default:
		return "Fatal"
	}
}

// Levels holds the minimum level of every component. Its methods may be called at any time from any goroutine.
type Levels struct {
	mu        sync.Mutex
	fallback  slog.Level
	overrides map[string]slog.Level // by lower-case prefix
	inUse     map[string]*slog.LevelVar
}

// NewLevels is Set on new Levels.
func NewLevels(fallback string, overrides map[string]string) (*Levels, error) {
	l := &Levels{inUse: map[string]*slog.LevelVar{}}
	return l, l.Set(fallback, overrides)
}

// Set replaces all levels, also those of loggers that exist. overrides maps
// prefixes of component names to level names: "gitsync" is gitsync and
// gitsync.fetch; the longest prefix decides. "Honua.Server.Core.GitOps" and the
// like, as .NET's configuration names them, stand for the components that do
// that work here. An unknown level changes nothing.
func (l *Levels) Set(fallback string, overrides map[string]string) error {
	level, err := ParseLevel(fallback)
	if err != nil {
		return err
	}
	parsed := make(map[string]slog.Level, len(overrides))
	for prefix, name := range overrides {
		if parsed[strings.ToLower(prefix)], err = ParseLevel(name); err != nil {
			return fmt.Errorf("component %s: %w", prefix, err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fallback, l.overrides = level, parsed
	for component, variable := range l.inUse {
		variable.Set(l.resolve(component))
	}
	return nil
}

// of returns the variable that follows a component's level; "" is no component.
func (l *Levels) of(component string) *slog.LevelVar {
	component = strings.ToLower(component)
	l.mu.Lock()
	defer l.mu.Unlock()
	if found := l.inUse[component]; found != nil {
		return found
	}
	variable := new(slog.LevelVar)
	variable.Set(l.resolve(component))
	l.inUse[component] = variable
	return variable
}

func (l *Levels) resolve(component string) slog.Level {
	for _, names := range [][]string{{component}, dotNetNames(component)} {
		longest, level := -1, slog.Level(0)
		for prefix, candidate := range l.overrides {
			if len(prefix) > longest && matchesAny(names, prefix) {
				longest, level = len(prefix), candidate
			}
		}
		if longest >= 0 {
			return level
		}
	}
	return l.fallback
}

// dotNetNames are the names that a .NET configuration has for what a component does here.
func dotNetNames(component string) []string {
	names := []string{"honua.server.core." + component}
	switch root, _, _ := strings.Cut(strings.ReplaceAll(component, "/", "."), "."); root {
	case "gitsync", "reconciler":
		names = append(names, "honua.server.core.gitops."+component)
	case "fsm", "cluster", "registry":
		names = append(names, "honua.server.core.deployment."+component)
	}
	return names
}

func matchesAny(names []string, prefix string) bool {
	for _, name := range names {
		rest, found := strings.CutPrefix(name, prefix)
		if found && (rest == "" || rest[0] == '.' || rest[0] == '/') {
			return true
		}
	}
	return false
}
