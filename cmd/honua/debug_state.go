package main

import (
	"encoding/hex"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
)

// stateSummary is the replicated state in numbers, without any content.
type stateSummary struct {
	Format         uint32               `json:"format"`
	ClusterID      string               `json:"clusterId"`
	ClusterName    string               `json:"clusterName"`
	Epoch          uint64               `json:"epoch"`
	Index          uint64               `json:"index"`
	Term           uint64               `json:"term"`
	Hash           string               `json:"hash"`
	Now            string               `json:"now"`
	SettingsDigest string               `json:"settingsDigest"`
	AuditFirst     uint64               `json:"auditFirst"`
	AuditLast      uint64               `json:"auditLast"`
	Deployments    int                  `json:"deployments"`
	Requests       int                  `json:"requests"`
	Tokens         int                  `json:"tokens"`
	Frozen         bool                 `json:"frozen"`
	Environments   []environmentSummary `json:"environments"`
	Bundles        []bundleSummary      `json:"bundles"`
	Nodes          []nodeSummary        `json:"nodes"`
}

type environmentSummary struct {
	Name           string         `json:"name"`
	Branch         string         `json:"branch"`
	Sequence       uint64         `json:"sequence"`
	LastActivation uint64         `json:"lastActivation"`
	ActiveDigest   string         `json:"activeDigest"`
	LatestCommit   string         `json:"latestCommit"`
	LastPoll       string         `json:"lastPoll"`
	PollError      string         `json:"pollError"`
	Health         string         `json:"health"`
	Paused         bool           `json:"paused"`
	Retired        bool           `json:"retired"`
	Operation      string         `json:"operation"`
	Waiting        []string       `json:"waiting"`
	Holds          int            `json:"holds"`
	States         map[string]int `json:"states"`
}

type bundleSummary struct {
	Digest     string `json:"digest"`
	RawBytes   int64  `json:"rawBytes"`
	Compressed int    `json:"compressedBytes"`
	Refs       uint32 `json:"refs"`
}

type nodeSummary struct {
	ID             string       `json:"id"`
	Incarnation    string       `json:"incarnation"`
	Available      bool         `json:"available"`
	Voter          bool         `json:"voter"`
	Version        string       `json:"version"`
	Format         uint32       `json:"format"`
	SettingsDigest string       `json:"settingsDigest"`
	Since          string       `json:"since"`
	Serves         []fsm.Served `json:"serves"`
}

func summarise(s *fsm.State) stateSummary {
	meta, hash := s.Meta(), s.Hash()
	deployments, _, requests := s.Counts()
	summary := stateSummary{
		Format: meta.Format, ClusterID: meta.ClusterID, ClusterName: meta.ClusterName, Epoch: meta.Epoch, Index: meta.Index, Term: meta.Term,
		Hash: hex.EncodeToString(hash[:]), Now: instant(meta.Now), AuditFirst: s.FirstAudit(), AuditLast: meta.AuditSequence,
		Deployments: deployments, Requests: requests, Frozen: meta.Freeze != nil,
		Environments: []environmentSummary{}, Bundles: []bundleSummary{}, Nodes: []nodeSummary{},
	}
	if meta.Settings != nil {
		summary.SettingsDigest = meta.Settings.FileDigest
	}
	for range s.Tokens() {
		summary.Tokens++
	}
	for e := range s.Environments() {
		summary.Environments = append(summary.Environments, summariseEnvironment(s, e))
	}
	for b := range s.Bundles() {
		summary.Bundles = append(summary.Bundles, bundleSummary{Digest: b.Digest, RawBytes: b.RawSize, Compressed: len(b.Compressed), Refs: b.Refs})
	}
	for n := range s.Nodes() {
		summary.Nodes = append(summary.Nodes, nodeSummary{
			ID: n.ID, Incarnation: n.Incarnation, Available: n.Available, Voter: n.Voter, Version: n.Version, Format: n.Format,
			SettingsDigest: n.SettingsDigest, Since: instant(n.Since), Serves: n.Serves,
		})
	}
	return summary
}

func summariseEnvironment(s *fsm.State, e *fsm.Environment) environmentSummary {
	summary := environmentSummary{
		Name: e.Name, Branch: e.Branch, Sequence: e.Sequence, LastActivation: e.LastActivation, LatestCommit: e.LatestCommit,
		LastPoll: instant(e.LastPoll), PollError: e.PollError, Health: e.Health.String(), Paused: e.Pause != nil, Retired: e.Retired,
		Waiting: e.Waiting, States: map[string]int{},
	}
	if e.Active != nil {
		summary.ActiveDigest = e.Active.Digest
	}
	if e.Operation != nil {
		summary.Operation = e.Operation.Kind.String() + " " + e.Operation.DeploymentID + ": " + e.Operation.Phase.String()
	}
	for range s.Holds(e.Name) {
		summary.Holds++
	}
	for d := range s.Deployments(e.Name) {
		summary.States[d.State.String()]++
	}
	return summary
}

// instant is a time in Unix milliseconds as people read it; "" for never.
func instant(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format(time.RFC3339)
}
