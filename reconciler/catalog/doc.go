// Package catalog is what the configuration files of an environment mean: services, layers, data sources and
// settings. It parses them strictly (every problem at once, each with file, line and column), compares two meanings
// and judges the risk of going from one to the other. It is pure: no clock, no files, no network.
//
// # Precedence
//
// A data source of environments/<environment>/datasources.json overrides the one of the same id (case-insensitively)
// in environments/common/shared-config.json. A setting of environments/<environment>/appsettings.json overrides the
// same key under "settings" of shared-config.json; sections are merged key by key, lists are replaced whole.
// What neither names has the default that DefaultSettings documents.
package catalog
