package config

import (
	"net/url"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/internal/duration"
)

// Value is one key as the program uses it, fit to be shown.
type Value struct {
	Key string `json:"key"`
	// Value is "[redacted]" for a secret that is set and "" for one that is not.
	Value any `json:"value"`
	// Source says where it came from; "default" where nothing set it.
	Source string `json:"source"`
}

// Values lists every key that has a value, in the order of the sections. It
// holds no secret: what is one does not show itself, and an address is shown
// without who logs in.
func (c *Config) Values() []Value {
	values := make([]Value, 0, len(c.values))
	for _, held := range c.values {
		value := held.look()
		if value == nil {
			continue
		}
		source := c.sources[strings.ToLower(held.key)]
		if source == "" {
			source = "default"
		}
		values = append(values, Value{Key: held.key, Value: presentable(value), Source: source})
	}
	return values
}

// Secrets are the texts of this configuration that must never be shown, as they
// are used on this node. One that cannot be expanded now is not used either.
func (c *Config) Secrets() []string {
	var texts []string
	for _, held := range c.values {
		secret, ok := held.look().(Secret)
		if !ok || secret == "" {
			continue
		}
		if !strings.Contains(secret.Reveal(), "${") {
			texts = append(texts, secret.Reveal())
		} else if text, err := secret.Expand(); err == nil && text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

func presentable(value any) any {
	switch v := value.(type) {
	case Secret:
		return v.String()
	case time.Duration:
		return duration.Format(v)
	case string:
		return withoutLogin(v)
	}
	return value
}

// withoutLogin takes user and password out of an address.
func withoutLogin(text string) string {
	scheme, rest, found := strings.Cut(text, "://")
	if !found || !strings.Contains(rest, "@") {
		return text
	}
	address, err := url.Parse(text)
	if err != nil {
		return scheme + "://" + redacted
	}
	if address.User != nil {
		address.User = url.User("redacted")
	}
	address.RawQuery, address.Fragment = "", ""
	return address.String()
}
