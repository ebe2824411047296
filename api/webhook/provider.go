package webhook

import (
	"net/http"
	"slices"
	"strings"
)

// provider is a kind of Git host.
type provider struct {
	name string
	// also is another name of the same kind.
	also string
	// event is the header that says what happened, and by which the kind is known.
	event string
	// pushes and pings are the events of interest, in lower case.
	pushes, pings []string
	// delivery are the headers that number deliveries; a repetition has the same number.
	delivery []string
	verify   func(received, string) error
	read     func(body []byte) (push, error)
	// forms: the payload may come as a form.
	forms bool
}

// providers in the order in which they are tried. Forgejo sends Gitea's headers
// too, and both send GitHub's, so theirs come first.
func providers() []provider {
	return []provider{
		{
			name: "forgejo", also: "gitea", event: "X-Forgejo-Event", pushes: []string{"push"}, delivery: []string{"X-Forgejo-Delivery"},
			verify: hmacHeaders("X-Forgejo-Signature", "X-Gitea-Signature", "X-Hub-Signature-256"), read: readRef, forms: true,
		},
		{
			name: "gitea", also: "forgejo", event: "X-Gitea-Event", pushes: []string{"push"}, delivery: []string{"X-Gitea-Delivery"},
			verify: hmacHeaders("X-Gitea-Signature", "X-Hub-Signature-256"), read: readRef, forms: true,
		},
		{
			name: "gitlab", event: "X-Gitlab-Event", pushes: []string{"push hook", "system hook"},
			delivery: []string{"Idempotency-Key", "Webhook-Id", "X-Gitlab-Event-Uuid"}, verify: checkGitlab, read: readGitlab,
		},
		{
			name: "bitbucket", event: "X-Event-Key", pushes: []string{"repo:push", "repo:refs_changed"}, pings: []string{"diagnostics:ping"},
			delivery: []string{"X-Request-Uuid", "X-Request-Id"}, verify: hmacHeaders("X-Hub-Signature"), read: readBitbucket,
		},
		{
			name: "github", event: "X-Github-Event", pushes: []string{"push"}, pings: []string{"ping"}, delivery: []string{"X-Github-Delivery"},
			verify: hmacHeaders("X-Hub-Signature-256"), read: readRef, forms: true,
		},
		{
			name: "generic", delivery: []string{"Webhook-Id", "X-Delivery-Id"}, verify: checkGeneric, read: readGeneric,
		},
	}
}

// family is the provider of a name; nil if there is none.
func family(name string) *provider {
	for _, p := range providers() {
		if p.name == name {
			return &p
		}
	}
	return nil
}

// recognise tells from the headers who sent a delivery. Where the configuration
// names somebody, anybody else is refused; a sender that says nothing is taken
// for whom it names.
func recognise(h http.Header, configured string) (*provider, error) {
	for _, p := range providers() {
		if p.event == "" || len(h.Values(p.event)) == 0 {
			continue
		}
		if configured != "" && configured != p.name && configured != p.also {
			return &p, errProvider
		}
		return &p, nil
	}
	if configured == "" {
		configured = "generic"
	}
	return family(configured), nil
}

// number is what the sender calls this delivery; empty if it does not.
func (p *provider) number(h http.Header) string {
	for _, name := range p.delivery {
		if value := h.Get(name); value != "" {
			return value
		}
	}
	return ""
}

// kind says what a delivery is about.
func (p *provider) kind(h http.Header) (pushed, ping bool) {
	if p.event == "" {
		return true, false
	}
	event := strings.ToLower(h.Get(p.event))
	return event == "" || slices.Contains(p.pushes, event), slices.Contains(p.pings, event)
}
