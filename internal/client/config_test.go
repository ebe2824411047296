package client

import (
	"crypto/tls"
	"errors"
	"regexp"
	"slices"
	"testing"
	"time"
)

func TestParseAddresses(t *testing.T) {
	tests := []struct {
		list string
		want []string
	}{
		{"127.0.0.1:7700", []string{"127.0.0.1:7700"}},
		{"a:1, b:2,,a:1", []string{"a:1", "b:2"}},
		{"node1", []string{"node1:7700"}},
		{":7710", []string{"127.0.0.1:7710"}},
		{"::1", []string{"[::1]:7700"}},
		{"[::1]", []string{"[::1]:7700"}},
		{"[::1]:1", []string{"[::1]:1"}},
		{"", nil},
		{" , ", nil},
		{"a:b:c", nil},
	}
	for _, test := range tests {
		got, err := ParseAddresses(test.list)
		if (err != nil) != (test.want == nil) || !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, %v", test.list, got, err)
		}
	}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		name   string
		config Config
		fine   bool
	}{
		{"nothing", Config{}, false},
		{"plain", Config{Addresses: []string{"10.0.0.1:7700"}}, true},
		{"no port", Config{Addresses: []string{"10.0.0.1"}}, false},
		{"a token in the clear", Config{Addresses: []string{"10.0.0.1:7700"}, Token: "t"}, false},
		{"a token on this machine", Config{Addresses: []string{"127.0.0.1:7700", "localhost:1"}, Token: "t"}, true},
		{"a token over TLS", Config{Addresses: []string{"10.0.0.1:7700"}, Token: "t", TLS: &tls.Config{}}, true},
		{"negative", Config{Addresses: []string{"a:1"}, Timeout: -1}, false},
	}
	for _, test := range tests {
		err := test.config.Validate()
		if (err == nil) != test.fine || err != nil && !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestNewRequestID(t *testing.T) {
	shape := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	now := time.UnixMilli(0x0123456789ab)
	first, second := NewRequestID(now), NewRequestID(now)
	if !shape.MatchString(first) || first[:13] != "01234567-89ab" {
		t.Errorf("%s", first)
	}
	if first == second {
		t.Error("two ids are the same")
	}
}
