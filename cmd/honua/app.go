package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"

	"github.com/honua-io/honua-gitops/api/admin"
	"github.com/honua-io/honua-gitops/api/ogc"
	"github.com/honua-io/honua-gitops/api/web"
	"github.com/honua-io/honua-gitops/cluster"
	"github.com/honua-io/honua-gitops/cluster/backup"
	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/gitsync"
	"github.com/honua-io/honua-gitops/internal/buildinfo"
	"github.com/honua-io/honua-gitops/internal/clock"
	"github.com/honua-io/honua-gitops/internal/config"
	"github.com/honua-io/honua-gitops/internal/listen"
	"github.com/honua-io/honua-gitops/internal/tlsfiles"
	"github.com/honua-io/honua-gitops/internal/tracing"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/leader"
	"github.com/honua-io/honua-gitops/reconciler/node"
	"github.com/honua-io/honua-gitops/reconciler/registry"
	"github.com/honua-io/honua-gitops/reconciler/registry/geojson"
	"github.com/honua-io/honua-gitops/reconciler/registry/geopackage"
	"github.com/honua-io/honua-gitops/reconciler/registry/postgis"
)

// app is one node: the only place where its parts know of each other.
type app struct {
	config   *config.Config
	logger   *slog.Logger
	settings *fileSettings
	mirror   string
	origin   origin

	cluster *cluster.Node
	// backups is nil where none are configured.
	backups  *backup.Saver
	registry *registry.Registry
	node     *node.Node
	leader   *leader.Leader
	group    *group
	metrics  *web.Metrics
	health   *web.Health
	admin    *admin.Server
	web      *web.Server
	tls      []openedTLS
	traces   *tracing.Traces

	grpcListener    net.Listener
	httpListener    net.Listener
	metricsListener net.Listener

	// nodeFiles are the certificates between nodes, clientFiles those that clients
	// see; the same unless Api.Tls is set, and nil for plain text.
	nodeFiles, clientFiles *tlsfiles.Source
	again                  again
}

// newApp opens what the node has on disk and its listeners: when it returns,
// the node serves what was active last.
func newApp(ctx context.Context, c *config.Config, logger *slog.Logger, from origin) (_ *app, err error) {
	a := &app{config: c, logger: logger, origin: from}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.closeListeners())
		}
	}()
	for _, step := range []func(context.Context) error{
		a.openRepository, a.openTraces, a.openListeners, a.openRegistry, a.openCluster, a.openBackups, a.openNode, a.openLeader, a.openWeb, a.openAdmin,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// openRepository finds out which repository is followed, and where its mirror lives.
func (a *app) openRepository(context.Context) error {
	mirror, origin, err := gitsync.Place(a.config.GitOps.RepositoryPath, filepath.Join(a.config.Cluster.DataDirectory, "mirror"))
	if err != nil {
		return err
	}
	url := a.config.GitOps.RepositoryURL
	if url == "" {
		url = origin
	}
	if url == "" {
		return fmt.Errorf("GitOps.RepositoryUrl: set it, or clone the repository to GitOps.RepositoryPath (%s): there is no clone with a remote \"origin\"", a.config.GitOps.RepositoryPath)
	}
	a.mirror = mirror
	if url, err = a.keepLogin(url); err != nil {
		return err
	}
	a.settings, err = clusterSettings(a.config, url)
	return err
}

// keepLogin takes a login out of the repository's address, which goes into the
// log and to every node, and uses it as this node's credentials if there are no others.
func (a *app) keepLogin(address string) (string, error) {
	clean, username, password, err := gitsync.SplitLogin(address)
	if err != nil {
		return "", fmt.Errorf("GitOps.RepositoryUrl: %w", err)
	}
	if username == "" && password == "" {
		return clean, nil
	}
	a.component("gitsync").Warn("the repository's address holds a login, which stays on this node; move it to GitOps.Credentials on each node", "repository", clean)
	if c := &a.config.GitOps.Credentials; c.Username == "" && c.Password == "" {
		c.Username, c.Password = config.Secret(username), config.Secret(password)
	}
	return clean, nil
}

func (a *app) openListeners(ctx context.Context) error {
	var ports net.ListenConfig
	var err error
	if a.grpcListener, err = ports.Listen(ctx, "tcp", a.config.API.GRPCAddress); err != nil {
		return fmt.Errorf("Api.GrpcAddress: %w", err)
	}
	if a.grpcListener, err = listen.New(a.grpcListener, a.grpcBounds()); err != nil {
		return err
	}
	if a.httpListener, err = ports.Listen(ctx, "tcp", a.config.API.HTTPAddress); err != nil {
		return fmt.Errorf("Api.HttpAddress: %w", err)
	}
	if a.httpListener, err = listen.New(a.httpListener, a.httpBounds()); err != nil {
		return err
	}
	if a.separateMetrics() {
		if a.metricsListener, err = ports.Listen(ctx, "tcp", a.config.API.MetricsAddress); err != nil {
			return fmt.Errorf("Api.MetricsAddress: %w", err)
		}
	}
	return nil
}

// grpcBounds are the connections that the gRPC port holds. Nodes use the port
// too, with a few connections each: one host cannot keep them out.
func (a *app) grpcBounds() listen.Config {
	return listen.Config{Total: 4096, PerHost: 512, Logger: a.component("admin")}
}

// httpBounds are the connections that the HTTP port holds: one host cannot keep
// out what asks for health. A proxy before the node is one host too.
func (a *app) httpBounds() listen.Config {
	return listen.Config{Total: 4096, PerHost: 1024, Logger: a.component("web")}
}

func (a *app) separateMetrics() bool {
	return a.config.API.MetricsAddress != "" && a.config.API.MetricsAddress != a.config.API.HTTPAddress
}

func (a *app) closeListeners() error {
	var errs []error
	for _, l := range []net.Listener{a.grpcListener, a.httpListener, a.metricsListener} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	return errors.Join(errs...)
}

func (a *app) openRegistry(context.Context) error {
	logger := a.component("registry")
	files, err := geojson.New(geojson.Config{DataDirectory: a.config.Registry.DataDirectory, Logger: logger})
	if err != nil {
		return err
	}
	databases, err := postgis.New(postgis.Config{Logger: logger})
	if err != nil {
		return err
	}
	packages, err := geopackage.New(geopackage.Config{DataDirectory: a.config.Registry.DataDirectory, Logger: logger})
	if err != nil {
		return err
	}
	a.registry, err = registry.New(registry.Config{
		Drivers: map[string]registry.Driver{
			catalog.TypeGeoJSON: files, catalog.TypeGeoPackage: packages, catalog.TypePostgreSQL: databases,
		},
		LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Private: a.config.Own().Holds, Logger: logger,
	})
	return err
}

func (a *app) openCluster(context.Context) error {
	key, err := a.config.Cluster.DecodeGossipKey()
	if err != nil {
		return err
	}
	if err := a.openSecurity(); err != nil {
		return err
	}
	tls, err := a.nodeTLS()
	if err != nil {
		return err
	}
	a.again.state = func() *fsm.State { return a.cluster.Store().State() }
	a.group = &group{}
	addresses := a.addresses()
	a.cluster, err = cluster.Open(cluster.Config{
		NodeID: a.config.Cluster.NodeID, ClusterName: a.config.Cluster.Name, DataDirectory: a.config.Cluster.DataDirectory,
		RaftBind: a.config.Cluster.RaftAddress, RaftAdvertise: addresses.Raft,
		GossipBind: a.config.Cluster.GossipAddress, GossipAdvertise: addresses.Gossip,
		GRPCAdvertise: addresses.GRPC, HTTPAdvertise: addresses.HTTP, GossipKey: key,
		BootstrapExpect: a.config.Cluster.BootstrapExpect, Join: a.config.Cluster.Join,
		RaftMultiplier: a.config.Cluster.RaftMultiplier, Voter: a.config.Cluster.Voter,
		Version: buildinfo.Get().Version, TLS: tls, Authorizer: &a.again,
		InitialSettings: func() (*pb.SettingsValue, string) { return a.settings.value, a.settings.digest },
		DialOptions:     a.traceDials(),
		Logger:          a.logger, LeaderTask: &leaderTask{app: a}, Exit: a.exit,
	})
	return err
}

// exit ends the process without any of its cleanup: a disk that hangs would
// hold that up for ever, and one that failed must not be written to again.
func (a *app) exit(err error) {
	a.logger.Error("this node ends its process; the others go on", "error", err)
	os.Exit(1)
}

func (a *app) openNode(ctx context.Context) error {
	var err error
	addresses := a.addresses()
	a.node, err = node.Open(ctx, node.Config{
		NodeID: a.config.Cluster.NodeID, Version: buildinfo.Get().Version, Incarnation: a.cluster.Incarnation(),
		DataDirectory: a.config.Cluster.DataDirectory, StateDirectory: a.config.GitOps.StateDirectory,
		ApprovalDirectory: a.config.GitOps.ApprovalDirectory, Store: a.cluster.Store(), Registry: a.registry,
		CaughtUp:    func() bool { return a.cluster.Status().CaughtUp },
		Settings:    func() (string, []byte) { return a.settings.digest, a.settings.encoded },
		OwnSettings: a.ownSettings, Addresses: addresses, ProbeInterval: a.config.Registry.ProbeInterval, Now: clock.Now, Logger: a.component("reconciler"),
		Backup: a.backupStatus, Tracer: a.traces.Tracer(),
	})
	return err
}

func (a *app) openLeader(context.Context) error {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	a.group.bind(a.cluster)
	a.leader, err = leader.New(leader.Config{
		NodeID: a.config.Cluster.NodeID, Store: a.cluster.Store(), Proposer: proposer{a.cluster}, Group: a.group,
		Nodes: &nodes{cluster: a.cluster, self: a.config.Cluster.NodeID, local: a.node},
		Open:  (&repositories{app: a, executable: executable}).open,
		Now:   clock.Now, Random: rand.Float64, Logger: a.component("gitsync"), Tracer: a.traces.Tracer(),
	})
	return err
}

func (a *app) openWeb(context.Context) error {
	view := &webNode{app: a}
	build := buildinfo.Get()
	a.health = web.NewHealth(view, time.Now)
	var err error
	a.metrics, err = web.NewMetrics(web.MetricsConfig{Node: view, Version: build.Version, Commit: build.Commit, Go: build.Go})
	if err != nil {
		return err
	}
	if err := a.measure(); err != nil {
		return err
	}
	features, err := ogc.New(ogc.Config{
		Registry: a.registry, Environments: a.environments(), Logger: a.component("ogc"), Stale: a.health.Stale,
		Observe: a.observeRequest,
	})
	if err != nil {
		return err
	}
	hook, err := a.webhook()
	if err != nil {
		return err
	}
	secured, err := a.httpTLS()
	if err != nil {
		return err
	}
	a.web, err = web.New(web.Config{
		TLS: secured, Health: a.health, Metrics: a.metrics, Logger: a.component("web"), Features: features, Webhook: hook,
		SeparateMetrics: a.separateMetrics() || !a.config.GitOps.EnableMetrics,
	})
	return err
}

func (a *app) environments() []string {
	var names []string
	for _, e := range a.config.GitOps.EnvironmentList() {
		names = append(names, e.Name)
	}
	return names
}

func (a *app) openAdmin(context.Context) error {
	credentials, err := a.grpcCredentials()
	if err != nil {
		return err
	}
	authenticator, err := a.authenticator()
	if err != nil {
		return err
	}
	a.admin, err = admin.New(admin.Config{
		Proposer: callers{a.cluster}, Reader: a.cluster, Store: a.cluster.Store(), Membership: &membership{a.cluster},
		Classify: classify, Logger: a.component("admin"), Credentials: credentials, Authenticator: authenticator,
		Nodes:  &nodes{cluster: a.cluster, self: a.config.Cluster.NodeID, local: a.node},
		Denied: a.metrics.ObserveDenial, Options: a.traceCalls(),
		Debug:      a.collect,
		GossipKeys: &gossipKeys{a.cluster}, GossipFingerprint: cluster.KeyFingerprint,
		Register: func(r grpc.ServiceRegistrar) {
			a.cluster.RegisterPeerService(r)
			pb.RegisterNodeServiceServer(r, a.node)
		},
	})
	return err
}

func (a *app) component(name string) *slog.Logger { return a.logger.With("component", name) }
