// Package checks renders the kustomize base and overlays of Honua and checks what they make: every object is decoded
// strictly into the types of the Kubernetes API, and what refers to something refers to something that is there.
package checks
