package ogc

import "slices"

// codeRange is a range of EPSG codes, both ends included.
type codeRange struct{ first, last int }

// isGeographic reports whether a system of the EPSG counts in degrees of longitude and latitude. The ranges are those
// of the geographic 2D systems in common use; what is not in them is taken for one in metres.
func isGeographic(code int) bool {
	return inRanges([]codeRange{
		{4001, 4025}, {4027, 4036}, {4039, 4047}, {4052, 4055}, {4075, 4075}, {4081, 4081}, {4120, 4216}, {4218, 4289},
		{4291, 4319}, {4322, 4322}, {4324, 4324}, {4326, 4326}, {4463, 4463}, {4470, 4470}, {4475, 4475}, {4483, 4483},
		{4490, 4490}, {4555, 4555}, {4558, 4558}, {4600, 4646}, {4657, 4765}, {4801, 4811}, {4813, 4821}, {4823, 4824},
		{4901, 4904}, {6318, 6318}, {6668, 6668}, {6706, 6706}, {7844, 7844},
	}, code)
}

// northFirst reports whether a system of the EPSG names its latitude or northing before its longitude or easting: all
// geographic ones do, and these projected ones.
func northFirst(code int) bool {
	return isGeographic(code) || inRanges([]codeRange{
		{2036, 2036}, {2044, 2045}, {2065, 2065}, {2081, 2083}, {2085, 2086}, {2093, 2093}, {2096, 2098}, {2105, 2132},
		{2169, 2170}, {2176, 2180}, {2193, 2193}, {2200, 2200}, {2206, 2212}, {2319, 2320}, {2326, 2462}, {2523, 2549},
		{2551, 2735}, {2738, 2758}, {2935, 2941}, {2953, 2953}, {3006, 3030}, {3034, 3035}, {3058, 3059}, {3068, 3068},
		{3114, 3118}, {3126, 3138}, {3300, 3301}, {3328, 3335}, {3346, 3346}, {3350, 3352}, {3366, 3366}, {3416, 3416},
		{4491, 4554}, {4839, 4839}, {20004, 20032}, {20064, 20092}, {21413, 21423}, {21473, 21483}, {21896, 21899},
		{22171, 22177}, {22181, 22187}, {22191, 22197}, {25884, 25884}, {27205, 27232}, {27391, 27398}, {27492, 27492},
		{28402, 28432}, {28462, 28492}, {30161, 30179}, {30800, 30800}, {31251, 31259}, {31275, 31279}, {31281, 31290},
		{31466, 31700},
	}, code)
}

func inRanges(ranges []codeRange, code int) bool {
	return slices.ContainsFunc(ranges, func(r codeRange) bool { return r.first <= code && code <= r.last })
}
