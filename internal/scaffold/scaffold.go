// Package scaffold makes the configuration repository that one begins with, and the sample data that its example
// layer shows.
package scaffold

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// CitiesFile is the name of the sample data in a data directory.
const CitiesFile = "cities.geojson"

// environmentMark stands for the environment's name in a template.
const environmentMark = "{{environment}}"

//go:embed template/*
var templates embed.FS

//go:embed cities.geojson
var cities []byte

// File is one file of the repository: its slash-separated path and its content.
type File struct {
	Path    string
	Content []byte
}

// Environments are the environments of a new repository.
func Environments() []string { return []string{"development", "staging", "production"} }

// Cities is the sample data: the world's large cities as GeoJSON.
func Cities() []byte { return append([]byte(nil), cities...) }

// Files are all files of a new repository.
func Files() ([]File, error) {
	files := []File{}
	add := func(path, template, environment string) error {
		content, err := templates.ReadFile("template/" + template)
		if err != nil {
			return fmt.Errorf("template %s: %w", template, err)
		}
		text := strings.ReplaceAll(string(content), environmentMark, environment)
		files = append(files, File{Path: path, Content: []byte(text)})
		return nil
	}
	err := errors.Join(
		add("README.md", "README.md", ""),
		add(".gitignore", "gitignore", ""),
		add(".gitops/deployment-policy.yaml", "deployment-policy.yaml", ""),
		add("environments/common/shared-config.json", "shared-config.json", ""),
	)
	for _, environment := range Environments() {
		folder, settings := "environments/"+environment+"/", "appsettings.json"
		if environment == "development" {
			settings = "appsettings.development.json"
		}
		err = errors.Join(err,
			add(folder+"metadata.json", "metadata.json", environment),
			add(folder+"datasources.json", "datasources.json", environment),
			add(folder+"appsettings.json", settings, environment),
		)
	}
	return files, err
}

// WriteCities puts the sample data into dir, unless it is there already.
func WriteCities(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, CitiesFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("write the sample data: %w", err)
	}
	_, err = file.Write(cities)
	return errors.Join(err, file.Close())
}

// ConnectionVariable is what the connection string of a repository made by PostGISFiles stands for.
const ConnectionVariable = "DB_CONNECTION_STRING"

// PostGISFiles are all files of a new repository whose cities are in the table public.cities of a database.
func PostGISFiles() ([]File, error) {
	files, err := Files()
	if err != nil {
		return nil, err
	}
	sources := strings.NewReplacer(
		`"files"`, `"main-db"`, `"GeoJSON"`, `"PostgreSQL"`, CitiesFile, "${"+ConnectionVariable+"}",
		"A file in each server's data directory", "PostgreSQL with PostGIS",
	)
	layers := strings.NewReplacer(`"files"`, `"main-db"`, `"table": "cities"`, `"table": "public.cities"`,
		`"geometryColumn": "geometry"`, `"geometryColumn": "geom"`)
	for i := range files {
		switch path.Base(files[i].Path) {
		case "datasources.json":
			files[i].Content = []byte(sources.Replace(string(files[i].Content)))
		case "metadata.json":
			files[i].Content = []byte(layers.Replace(string(files[i].Content)))
		}
	}
	return files, nil
}
