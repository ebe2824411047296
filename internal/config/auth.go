package config

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Auth says who may call the admin API. It is each node's own: configure all nodes alike.
type Auth struct {
	// Enabled is nil where nothing is configured; see Config.AuthEnabled.
	Enabled *bool
	// AdminToken is accepted with every role; "" for none. Expanded at each use.
	AdminToken Secret
	// Identities are the roles of identities.
	Identities map[string]Access
	OIDC       OIDC
}

// Access is what somebody may do.
type Access struct {
	// Roles are such as "viewer" or "approver@production".
	Roles []string
}

// OIDC names a provider whose tokens are accepted; off while Issuer is empty.
type OIDC struct {
	Issuer, Audience, IdentityClaim, GroupsClaim, CAFile string
	Algorithms                                           []string
	// Groups are the roles of the groups in tokens.
	Groups map[string]Access
}

// AuthEnabled tells whether callers have to say who they are: where nothing
// says otherwise, as soon as there is TLS or anything is configured under Auth.
func (c *Config) AuthEnabled() bool {
	if c.Auth.Enabled != nil {
		return *c.Auth.Enabled
	}
	return c.Cluster.TLS.Enabled() || c.API.TLS.Enabled() || c.Auth.configured()
}

func (a *Auth) configured() bool {
	return a.AdminToken != "" || len(a.Identities) > 0 || a.OIDC.Issuer != ""
}

func (a *Auth) describe(t *table) {
	optional(t, "Enabled", flag(), &a.Enabled, "Callers have to show credentials. Unless set: when TLS or anything under Auth is configured.")
	one(t, "AdminToken", secret(), &a.AdminToken, derived("none"),
		"A token with every role, to begin with and for emergencies; 20 characters or more. Expanded as credentials are, at each use.")
	each(t, "Identities", "<identity>", &a.Identities, (*Access).describe)
	t.section("Oidc", a.OIDC.describe)
}

func (a *Access) describe(t *table) {
	list(t, "Roles", grant(), &a.Roles,
		"viewer, deployer, approver or admin, in every environment or, as in approver@production, in one. For a certificate they replace the roles inside it.")
}

func (o *OIDC) describe(t *table) {
	one(t, "Issuer", plain(), &o.Issuer, derived("off"), "URL of an OpenID Connect provider whose tokens are accepted, as the tokens spell it.")
	one(t, "Audience", plain(), &o.Audience, derived("required with Issuer"), "Whom the tokens have to be for.")
	list(t, "Algorithms", oneOf("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"), &o.Algorithms,
		"Algorithms of signatures that are accepted; empty is RS256 and ES256.")
	one(t, "IdentityClaim", plain(), &o.IdentityClaim, is("email"), "The claim that names the caller. An email that the issuer calls unverified is refused.")
	one(t, "GroupsClaim", plain(), &o.GroupsClaim, is("groups"), "The claim with the caller's groups, a text or a list.")
	one(t, "CaFile", plain(), &o.CAFile, derived("the system's authorities"), "Authorities to trust when the issuer is asked for its keys, PEM.")
	each(t, "Groups", "<group>", &o.Groups, (*Access).describe)
}

// grant is a role, alone or in an environment.
func grant() kind[string] {
	const roles = "viewer, deployer, approver, admin"
	return kind[string]{name: "role", example: `"approver@production" or "viewer"`, parse: func(s string) (string, error) {
		role, environment, scoped := strings.Cut(s, "@")
		if !slices.Contains(strings.Split(roles, ", "), role) || scoped && !environmentName.MatchString(environment) && environment != "*" {
			return "", parseError("is none of " + roles + ", alone or with @ and an environment")
		}
		return s, nil
	}}
}

const minAdminToken = 20

func (c *Config) checkAuth() (problems Problems) {
	token := c.Auth.AdminToken.Reveal()
	if token != "" && !strings.Contains(token, "${") && len(token) < minAdminToken {
		problems = append(problems, c.problem("Auth.AdminToken", "has %d characters, %d are the least; make one with: head -c 32 /dev/urandom | base64", len(token), minAdminToken))
	}
	if o := c.Auth.OIDC; o.Issuer != "" {
		if o.Audience == "" {
			problems = append(problems, c.problem("Auth.Oidc.Audience", "is required with Auth.Oidc.Issuer: a token for another program is none for this one"))
		}
		u, err := url.Parse(o.Issuer)
		if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Host) && !loopback(u.Host+":80")) {
			problems = append(problems, c.problem("Auth.Oidc.Issuer", `%q is not an https URL; for example "https://login.example.org/realms/gis"`, o.Issuer))
		}
	}
	problems = append(problems, c.sameName(slices.Collect(maps.Keys(c.Auth.Identities)))...)
	if c.Auth.Enabled != nil && !*c.Auth.Enabled && !c.Cluster.Insecure && !loopback(c.API.GRPCAddress) {
		problems = append(problems, c.problem("Auth.Enabled",
			"is false, and Api.GrpcAddress %q is reachable from other machines; leave it out, or say Cluster.Insecure: true", c.API.GRPCAddress))
	}
	if c.AuthEnabled() && !c.API.TLS.Enabled() && !c.Cluster.TLS.Enabled() && !loopback(c.API.GRPCAddress) && !c.Cluster.Insecure {
		problems = append(problems, c.problem("Api.Tls", "or Cluster.Tls is required: credentials would travel in the clear to Api.GrpcAddress %q", c.API.GRPCAddress))
	}
	return problems
}

// sameName reports identities that differ by case alone: they are one.
func (c *Config) sameName(names []string) (problems Problems) {
	seen := map[string]string{}
	slices.Sort(names)
	for _, name := range names {
		if other, twice := seen[strings.ToLower(name)]; twice {
			problems = append(problems, c.problem("Auth.Identities."+name, "is the same identity as %q: case does not count; keep one", other))
		}
		seen[strings.ToLower(name)] = name
	}
	return problems
}
