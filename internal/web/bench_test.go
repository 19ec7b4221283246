package web

const farSide = "HMP_EXPORTER_TEST_FAR_SIDE"

func beFarSide() {}
