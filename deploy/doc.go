// Package deploy holds what runs Honua elsewhere: images, manifests, units, rules and dashboards. Its tests check them
// against the program.
package deploy
