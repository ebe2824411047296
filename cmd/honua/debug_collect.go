package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"time"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	"github.com/honua-io/honua-gitops/internal/buildinfo"
	"github.com/honua-io/honua-gitops/internal/client"
	"github.com/honua-io/honua-gitops/internal/config"
	"github.com/honua-io/honua-gitops/internal/support"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Bounds of what a support bundle takes of the cluster, in records, and how long one node may take.
const (
	bundledDeployments = 100
	bundledActivations = 50
	bundledAudit       = 500
	bundledLog         = 4 << 20
	collectTimeout     = 30 * time.Second
)

// collector fills a support bundle. What cannot be collected is put on its list
// of problems: a bundle is needed most when little works.
type collector struct {
	*session
	flags     bundleFlags
	addresses []string
	archive   *support.Archive
	scrubber  *support.Scrubber
	// asked are the nodes that answered, by id.
	asked map[string]*client.Client
}

func (c *collector) close() {
	for _, node := range c.asked {
		node.Close()
	}
}

// collect fills the archive. Its error is that of writing, or that there is nothing to write.
func (c *collector) collect(ctx context.Context) error {
	c.scrubber = support.NewScrubber(c.token())
	if err := c.archive.Add(support.JSON("client/version.json", buildinfo.Get())); err != nil {
		return err
	}
	status, reached := c.clusterStatus(ctx, readFlags{stale: true})
	if reached == nil {
		if err := c.cluster(ctx, status); err != nil {
			return err
		}
	}
	if err := c.nodes(ctx, status); err != nil {
		return err
	}
	if c.flags.config == "" && len(c.asked) == 0 && reached != nil {
		return reached // there is nothing to put into a bundle
	}
	if err := c.local(ctx); err != nil {
		return err
	}
	return c.samples(ctx)
}

// cluster adds what any node says of the cluster.
func (c *collector) cluster(ctx context.Context, status view.ClusterStatus) error {
	list, err := c.environments(ctx, pb.Consistency_CONSISTENCY_STALE)
	parts := []func() (string, any, error){
		func() (string, any, error) { return "status", status, nil },
		func() (string, any, error) { return "environments", list, err },
		func() (string, any, error) {
			members, err := c.members(ctx)
			return "members", members, err
		},
		func() (string, any, error) {
			deployments, err := c.deployments(ctx, "", bundledDeployments, pb.Consistency_CONSISTENCY_STALE)
			return "deployments", deployments, err
		},
		func() (string, any, error) {
			records, err := c.auditRecords(ctx, &pb.ListAuditRecordsRequest{Consistency: pb.Consistency_CONSISTENCY_STALE}, bundledAudit)
			return "audit", records, err
		},
	}
	for _, e := range list.Environments {
		parts = append(parts, func() (string, any, error) {
			list, err := c.activations(ctx, e.Name, bundledActivations, pb.Consistency_CONSISTENCY_STALE)
			return "activations/" + e.Name, list, err
		})
	}
	for _, part := range parts {
		name, value, err := part()
		name = "cluster/" + name + ".json"
		file := support.File{Name: name, Err: err}
		if err == nil {
			file = support.JSON(name, value)
		}
		if err := c.add(file); err != nil {
			return err
		}
	}
	return nil
}

// nodes asks every node for itself: those whose addresses were given, and the
// others where the cluster says that they are.
func (c *collector) nodes(ctx context.Context, status view.ClusterStatus) error {
	for _, address := range c.addresses {
		if err := c.node(ctx, "nodes/at "+address, address); err != nil {
			return err
		}
	}
	for _, server := range status.Servers {
		if c.asked[server.ID] != nil || slices.Contains(c.addresses, server.GRPCAddress) {
			continue
		}
		if err := c.node(ctx, "nodes/"+server.ID, server.GRPCAddress); err != nil {
			return err
		}
	}
	return nil
}

// node asks one node. Its error is that of writing.
func (c *collector) node(ctx context.Context, name, address string) error {
	at, err := c.clientOf([]string{address})
	if err != nil {
		return c.add(support.File{Name: name, Err: err})
	}
	id, files, err := ask(ctx, at, false)
	if c.asked[id] != nil { // two of the addresses are one node's
		at.Close()
		return nil
	}
	if err != nil {
		err = errors.New(client.Message(err))
		if id == "" {
			at.Close()
			return c.add(support.File{Name: name, Err: err})
		}
		files = append(files, support.File{Name: "the rest", Err: err})
	}
	c.asked[id] = at
	return c.addAll("nodes/"+id, files)
}

// maxAnswer bounds what one node can make this process hold, bytes.
const maxAnswer = 64 << 20

var errTooMuch = fmt.Errorf("the node sent more than %d bytes", maxAnswer)

// ask collects what one node says of itself. With an error there may be a part.
func ask(ctx context.Context, at *client.Client, sample bool) (id string, files []support.File, err error) {
	ctx, cancel := context.WithTimeout(ctx, collectTimeout)
	defer cancel()
	stream, err := at.Debug().CollectDebug(ctx, &pb.CollectDebugRequest{Sample: sample})
	if err != nil {
		return "", nil, err
	}
	for held := 0; ; {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return id, files, nil
		}
		if err != nil {
			return id, files, err
		}
		if held += len(part.GetData()); held > maxAnswer {
			return id, files, errTooMuch
		}
		id = part.GetNodeId()
		files = joined(files, part)
	}
}

// joined appends a part to the file that it is of.
func joined(files []support.File, part *pb.CollectDebugResponse) []support.File {
	if len(files) == 0 || files[len(files)-1].Name != part.GetName() {
		files = append(files, support.File{Name: part.GetName()})
	}
	last := &files[len(files)-1]
	last.Content = append(last.Content, part.GetData()...)
	if part.GetError() != "" {
		last.Err = errors.New(part.GetError())
	}
	return files
}

// local adds the files of a node on this machine, which need not run.
func (c *collector) local(ctx context.Context) error {
	if c.flags.config == "" {
		return c.addLog()
	}
	settings, err := config.Load(c.flags.config, os.Environ())
	if err != nil {
		return errors.Join(c.add(support.File{Name: "local/configuration.json", Err: err}), c.addLog())
	}
	c.scrubber = support.NewScrubber(append(settings.Secrets(), c.token())...)
	for file := range diskFiles(ctx, c.flags.config, settings) {
		if err := c.addAll("local", []support.File{file}); err != nil {
			return err
		}
	}
	return c.addLog()
}

// addLog adds the log that the command line names.
func (c *collector) addLog() error {
	if c.flags.log == "" {
		return nil
	}
	return c.add(c.logFile())
}

func (c *collector) logFile() support.File {
	const name = "local/log.txt"
	if c.flags.log == "-" {
		return support.TailOf(name, c.in, bundledLog)
	}
	return support.Tail(name, c.flags.log, bundledLog)
}

// samples asks the nodes that answered again and again.
func (c *collector) samples(ctx context.Context) error {
	end := time.Now().Add(c.flags.duration)
	for n := 1; time.Now().Add(c.flags.interval).Before(end); n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(c.flags.interval):
		}
		for _, id := range sortedKeys(c.asked) {
			_, files, err := ask(ctx, c.asked[id], true)
			if err != nil {
				files = append(files, support.File{Name: "the rest", Err: errors.New(client.Message(err))})
			}
			if err := c.addAll(fmt.Sprintf("nodes/%s/samples/%03d", id, n), files); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *collector) addAll(below string, files []support.File) error {
	for _, file := range files {
		file.Name = below + "/" + file.Name
		if err := c.add(file); err != nil {
			return err
		}
	}
	return nil
}

// add writes a file. Nodes take their own secrets out of theirs; what is known
// or looks like one here is taken out too. Profiles are no text.
func (c *collector) add(file support.File) error {
	if path.Ext(file.Name) != ".pprof" {
		file.Content = c.scrubber.Scrub(file.Content)
	}
	if file.Err != nil {
		file.Err = errors.New(string(c.scrubber.Scrub([]byte(client.Message(file.Err)))))
	}
	return c.archive.Add(file)
}
