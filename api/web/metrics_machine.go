package web

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Disk is the file system that a directory is on.
type Disk struct {
	// Free is what this process may still write, Size all there is; in bytes.
	Free, Size uint64
}

// Machine is what a node stands on.
type Machine struct {
	// Directories are measured with Disk, by what they are for, such as "cluster".
	Directories map[string]string
	Disk        func(directory string) (Disk, error)
	// Certificates returns when the certificates in use expire, by file.
	Certificates func() map[string]time.Time
}

// machineCollector tells of disks and certificates.
type machineCollector struct {
	machine            Machine
	free, size, expiry *prometheus.Desc
}

// NewMachineCollector makes the metrics of a machine.
func NewMachineCollector(machine Machine) prometheus.Collector {
	return &machineCollector{
		machine: machine,
		free:    prometheus.NewDesc("honua_disk_free_bytes", "Bytes that this node may still write where it keeps what it must keep.", []string{"directory"}, nil),
		size:    prometheus.NewDesc("honua_disk_size_bytes", "Size of the file system that a directory is on.", []string{"directory"}, nil),
		expiry: prometheus.NewDesc("honua_tls_certificate_expiry_timestamp_seconds",
			"Unix time at which a certificate in use expires.", []string{"file"}, nil),
	}
}

// Describe sends the descriptions.
func (c *machineCollector) Describe(out chan<- *prometheus.Desc) {
	out <- c.free
	out <- c.size
	out <- c.expiry
}

// Collect measures. A directory that cannot be measured has no series: the
// alert that misses it says more than a zero would.
func (c *machineCollector) Collect(out chan<- prometheus.Metric) {
	for name, directory := range c.machine.Directories {
		disk, err := c.machine.Disk(directory)
		if err != nil {
			continue
		}
		gauge(out, c.free, float64(disk.Free), name)
		gauge(out, c.size, float64(disk.Size), name)
	}
	for file, at := range c.machine.Certificates() {
		gauge(out, c.expiry, float64(at.Unix()), file)
	}
}
