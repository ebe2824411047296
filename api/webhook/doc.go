// Package webhook answers /webhooks/git: a Git host says that something was
// pushed, and the cluster polls at once instead of at the next interval.
//
// A webhook is a hint and nothing else. Of its payload only the names of the
// branches are looked at, and only to ignore those that no environment watches;
// which commit is deployed, and from where, is what the repository itself says
// to the poll that follows. Nothing is parsed before the signature over the raw
// body is found good.
package webhook
