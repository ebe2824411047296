// Package auth finds out who calls and what they may do: by a client's
// certificate, by a token that the cluster made, or by one of an OpenID Connect
// provider. It also decides again, on the leader, what was decided where a call
// arrived.
package auth
