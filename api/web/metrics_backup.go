package web

import "github.com/prometheus/client_golang/prometheus"

// backupCollector tells of the scheduled backups of this node.
type backupCollector struct {
	backups func() *Backups

	attempts, newest, interval, size *prometheus.Desc
}

// NewBackupCollector makes the metrics of what backups returns at each scrape.
func NewBackupCollector(backups func() *Backups) prometheus.Collector {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("honua_backup_"+name, help, labels, nil)
	}
	return &backupCollector{
		backups:  backups,
		attempts: d("attempts_total", "Scheduled backups that this node made or failed to make, by result.", "result"),
		newest:   d("last_success_timestamp_seconds", "Unix time of the newest backup in this node's directory; 0 if there is none."),
		interval: d("interval_seconds", "Time that is meant to be between two backups."),
		size:     d("size_bytes", "Size of the newest backup that this node made since it started; 0 before."),
	}
}

// Describe sends the descriptions.
func (c *backupCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.attempts, c.newest, c.interval, c.size} {
		out <- d
	}
}

// Collect sends the numbers of one moment.
func (c *backupCollector) Collect(out chan<- prometheus.Metric) {
	b := c.backups()
	if b == nil {
		return
	}
	out <- prometheus.MustNewConstMetric(c.attempts, prometheus.CounterValue, float64(b.Saved), "saved")
	out <- prometheus.MustNewConstMetric(c.attempts, prometheus.CounterValue, float64(b.Failed), "failed")
	newest := 0.0
	if !b.LastSuccess.IsZero() {
		newest = float64(b.LastSuccess.Unix())
	}
	gauge(out, c.newest, newest)
	gauge(out, c.interval, b.Interval.Seconds())
	gauge(out, c.size, float64(b.Size))
}
