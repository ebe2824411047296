package webhook

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzBody reads payloads as every kind of sender: whatever they hold, there is an answer, and what counts is a
// branch that is watched.
func FuzzBody(f *testing.F) {
	for _, body := range []string{pushed, cloud, center, gitlab, "", "{}", "null", "[]", "payload=%7B%7D", `{"ref":"refs/heads/"}`, `{"push":{"changes":[null]}}`, `{"ref":7}`, "\xff"} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, deliver := range []func(string) delivery{
			githubDelivery, giteaDelivery, forgejoDelivery, gitlabDelivery, cloudDelivery, centerDelivery, genericDelivery,
			func(body string) delivery {
				return githubDelivery(body).with("Content-Type", "application/x-www-form-urlencoded")
			},
		} {
			r := newRig(t)
			code, got := r.send(deliver(body))
			switch {
			case code != http.StatusAccepted && code != http.StatusBadRequest && code != http.StatusRequestEntityTooLarge:
				t.Errorf("%q: %d %+v", body, code, got)
			case (r.generation() > 0) != (got.Result == ResultStored):
				t.Errorf("%q: %+v, generation %d", body, got, r.generation())
			}
		}
	})
}

// FuzzHeaders sends headers without the secret: nothing is ever stored. Lines are "Name: value".
func FuzzHeaders(f *testing.F) {
	for _, s := range senders() {
		var lines strings.Builder
		for name, value := range s.delivery.header {
			lines.WriteString(name + ": " + value + "\n")
		}
		f.Add(lines.String(), s.delivery.body)
	}
	f.Add("Webhook-Signature: v1,\nWebhook-Timestamp: 9223372036854775807\nWebhook-Id: x", "")
	f.Fuzz(func(t *testing.T, lines, body string) {
		r := newRig(t, func(c *Config) {
			c.Secret = func() (string, error) { return "not to be guessed by mutating what was signed with another", nil }
		})
		request := delivery{body: body}.request()
		for line := range strings.SplitSeq(lines, "\n") {
			name, value, _ := strings.Cut(line, ": ")
			request.Header.Add(name, value)
		}
		recorder := httptest.NewRecorder()
		r.handler.ServeHTTP(recorder, request)
		if code, got := decoded(t, recorder); code != http.StatusUnauthorized && code != http.StatusRequestEntityTooLarge || r.generation() != 0 {
			t.Errorf("%d %+v", code, got)
		}
	})
}
