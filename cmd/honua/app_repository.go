package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/gitsync"
	"github.com/honua-io/honua-gitops/reconciler/leader"
)

// repositories opens the branches that the settings name, with this node's own
// credentials and paths.
type repositories struct {
	app        *app
	executable string
}

func (r *repositories) open(settings *fsm.Settings, branch string) (leader.Repository, error) {
	credentials, verification := r.app.config.GitOps.Credentials, r.app.config.GitOps.Verification
	mirror, err := gitsync.Open(gitsync.Config{
		URL: settings.RepositoryURL, Branch: branch, MirrorDir: r.mirror(settings, branch),
		Credentials: gitsync.Credentials{
			Username: credentials.Username.Reveal(), Password: credentials.Password.Reveal(),
			SSHKeyFile: credentials.SSHKeyFile, SSHKnownHostsFile: credentials.SSHKnownHostsFile,
		},
		Limits: gitsync.Limits{
			MaxFileBytes: settings.MaxFileBytes, MaxBundleBytes: settings.MaxBundleBytes, MaxFiles: int(settings.MaxFiles),
			FetchTimeout:     time.Duration(settings.FetchTimeout) * time.Millisecond,
			FetchMemoryBytes: settings.FetchMemoryBytes,
		},
		Keys: gitsync.Keys{
			PGPKeyrings: verification.PGPKeyringFiles, SSHAllowedSigners: verification.SSHAllowedSignersFile,
			SSHRevokedKeys: verification.SSHRevokedKeysFile,
		},
		Logger: r.app.component("gitsync"), Executable: r.executable,
	})
	if err != nil {
		return nil, err
	}
	return &measured{Mirror: mirror, app: r.app, branch: branch}, nil
}

// mirror is where a branch's mirror lives: the first one's is where the
// configuration says, further ones are beside the node's data.
func (r *repositories) mirror(settings *fsm.Settings, branch string) string {
	if len(settings.Environments) > 0 && settings.Environments[0].Branch == branch {
		return r.app.mirror
	}
	sum := sha256.Sum256([]byte(branch))
	return filepath.Join(r.app.config.Cluster.DataDirectory, "mirrors", hex.EncodeToString(sum[:8]))
}

// measured counts polls and fetches.
type measured struct {
	*gitsync.Mirror
	app    *app
	branch string
}

func (m *measured) Head(ctx context.Context) (string, error) {
	begun := time.Now()
	head, err := m.Mirror.Head(ctx)
	m.app.metrics.ObservePoll(m.branch, code(err), time.Since(begun))
	return head, err
}

func (m *measured) ReadEach(ctx context.Context, requests []gitsync.Request, each func(i int, reading *gitsync.Reading, err error)) {
	begun := time.Now()
	m.Mirror.ReadEach(ctx, requests, func(i int, reading *gitsync.Reading, err error) {
		m.app.metrics.ObserveFetch(m.branch, code(err), time.Since(begun))
		begun = time.Now()
		each(i, reading, err)
	})
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return gitsync.Code(err)
}
