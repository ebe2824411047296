// Package policy is when a deployment may begin and who must agree: the policy of an environment, read strictly from
// .gitops/deployment-policy.yaml, and the pure rules over it. It has no clock; times are given to it.
//
// # Precedence
//
// The policy file's entry for an environment, if there is one, is laid over the environment's defaults; if there is
// none, the server settings' entry is; if there is neither, the defaults apply (Resolve). The two are never mixed.
package policy
