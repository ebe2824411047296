package main

import (
	"maps"
	"testing"

	"github.com/honua-io/honua-gitops/internal/config"
)

// What means the same has the same digests, in whatever order and case it is written; everything else differs in its own key.
func TestDigestsOfAuth(t *testing.T) {
	base := func() *config.Config {
		return &config.Config{Auth: config.Auth{
			AdminToken: "${file:/one}", Identities: map[string]config.Access{"Grace": {Roles: []string{"viewer", "approver@production"}}, "al": {Roles: []string{"admin"}}},
			OIDC: config.OIDC{Issuer: "https://i", Audience: "honua", Algorithms: []string{"ES256", "RS256"}, Groups: map[string]config.Access{"g": {Roles: []string{"viewer"}}}},
		}}
	}
	same := base()
	same.Auth.AdminToken = "${file:/two}"
	same.Auth.Identities = map[string]config.Access{"AL": {Roles: []string{"admin"}}, "grace": {Roles: []string{"approver@production", "viewer"}}}
	same.Auth.OIDC.Algorithms = []string{"RS256", "ES256"}
	if a, b := authDigests(base()), authDigests(same); !maps.Equal(a, b) {
		t.Errorf("%v and %v", a, b)
	}
	off := false
	for key, change := range map[string]func(*config.Config){
		"Auth.Enabled":    func(c *config.Config) { c.Auth.Enabled = &off },
		"Auth.AdminToken": func(c *config.Config) { c.Auth.AdminToken = "" },
		"Auth.Identities": func(c *config.Config) { c.Auth.Identities["al"] = config.Access{Roles: []string{"viewer"}} },
		"Auth.Oidc":       func(c *config.Config) { c.Auth.OIDC.Groups["G"] = config.Access{Roles: []string{"admin"}} },
	} {
		other := base()
		change(other)
		before, after := authDigests(base()), authDigests(other)
		for k := range before {
			if differs := before[k] != after[k]; differs != (k == key) {
				t.Errorf("%s changed: %s differs: %v", key, k, differs)
			}
		}
	}
}
