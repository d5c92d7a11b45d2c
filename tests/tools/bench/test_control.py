from tools.bench.control import measured_memory, measured_time


def test_supervisor_of_simulated_cameras_settles_and_every_figure_is_there() -> None:
    assert measured_time(300).keys() == {
        "assigning_cpu_s",
        "starting_cpu_s",
        "longest_step_cpu_s",
        "steady_cpu_s",
        "node_lost_cpu_s",
    }
    assert measured_memory(300).keys() == {"memory_bytes"}
