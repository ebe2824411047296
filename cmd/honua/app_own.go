package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/honua-io/honua-gitops/internal/config"
)

// ownSettings are digests of what this node's file says of who is let in. It is
// each node's own, and should be alike on all: the leader decides by its own.
func (a *app) ownSettings() map[string]string {
	own := authDigests(a.config)
	own["Api.Tls.CaFile"] = ""
	if a.clientFiles != nil {
		own["Api.Tls.CaFile"] = a.clientFiles.Authorities()
	}
	return own
}

// authDigests are those of the section Auth. Of the token it says only whether
// there is one: it may be replaced on one node after the other.
func authDigests(c *config.Config) map[string]string {
	digests := map[string]string{}
	for key, value := range map[string]any{
		"Auth.Enabled":    c.AuthEnabled(),
		"Auth.AdminToken": c.Auth.AdminToken != "",
		"Auth.Identities": canonical(c.Auth.Identities, true),
		"Auth.Oidc": []any{
			c.Auth.OIDC.Issuer, c.Auth.OIDC.Audience, c.Auth.OIDC.IdentityClaim, c.Auth.OIDC.GroupsClaim,
			sorted(c.Auth.OIDC.Algorithms), canonical(c.Auth.OIDC.Groups, false),
		},
	} {
		digests[key] = digestOf(value)
	}
	return digests
}

// canonical is the same for maps that mean the same.
func canonical(access map[string]config.Access, foldNames bool) [][]string {
	rows := [][]string{}
	for _, name := range slices.Sorted(maps.Keys(access)) {
		shown := name
		if foldNames {
			shown = strings.ToLower(name)
		}
		rows = append(rows, append([]string{shown}, sorted(access[name].Roles)...))
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return rows
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func digestOf(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil { // texts and lists of them always can be
		return err.Error()
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:8])
}
