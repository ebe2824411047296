package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/honua-io/honua-gitops/api/admin"
	"github.com/honua-io/honua-gitops/fsm"
)

// ErrGrant says that a text names no role.
var ErrGrant = errors.New("not a role")

// RoleNames are the names of the roles, the lowest first.
func RoleNames() []string { return []string{"viewer", "deployer", "approver", "admin"} }

// Grants are roles by environment; admin.AllEnvironments stands for each.
type Grants map[string]admin.Role

// ParseGrants reads texts such as "approver@production" or, for every
// environment, "viewer". Its errors wrap ErrGrant.
func ParseGrants(texts ...string) (Grants, error) {
	grants := Grants{}
	for _, text := range texts {
		name, environment, scoped := strings.Cut(text, "@")
		if !scoped {
			environment = admin.AllEnvironments
		}
		role := admin.Role(slices.Index(RoleNames(), strings.ToLower(name)) + 1)
		if role == admin.NoRole || environment == "" {
			return nil, fmt.Errorf("%w: %q; write one of %s, alone or with an environment: approver@production",
				ErrGrant, text, strings.Join(RoleNames(), ", "))
		}
		grants.add(environment, role)
	}
	return grants, nil
}

func (g Grants) add(environment string, role admin.Role) {
	g[environment] = max(g[environment], role)
}

func (g Grants) join(more Grants) {
	for environment, role := range more {
		g.add(environment, role)
	}
}

func tokenGrants(t *fsm.Token) Grants {
	grants := Grants{}
	for _, grant := range t.Grants {
		grants.add(grant.Environment, admin.Role(grant.Role))
	}
	return grants
}
