package config

import "time"

// Backup says where this node saves the cluster's state; off while Directory is empty.
type Backup struct {
	// Directory is absolute.
	Directory string
	Interval  time.Duration
	// Keep is how many of the newest backups stay.
	Keep int64
}

func (b *Backup) describe(t *table) {
	one(t, "Directory", plain(), &b.Directory, derived("off"),
		"Where this node saves the cluster's state, as cluster snapshot save does. A directory that nodes share fills once.")
	one(t, "Interval", span(), &b.Interval, is("1.00:00:00"), "Time between two backups.")
	one(t, "Keep", whole(1, 100_000), &b.Keep, is("7"), "How many of the newest backups stay in the directory.")
}
