from tools.bench.soak import Course, Sample, judged, unfinished


def course(title: str, *, memory_mib_per_s: float = 0.0, threads_per_s: float = 0.0, until_s: int = 600) -> Course:
    def sample(time_s: int) -> Sample:
        ripple = time_s % 15 / 10
        return time_s, 100 + ripple + memory_mib_per_s * time_s, 10 + int(threads_per_s * time_s), 20

    return Course(title, [sample(time_s) for time_s in range(0, until_s, 5)])


def test_a_process_that_stays_as_it_is_holds() -> None:
    (verdict,) = judged({1: course("group")})
    assert not verdict.problems


def test_what_grows_is_named_with_its_process() -> None:
    courses = {1: course("group", memory_mib_per_s=0.1), 2: course("shard", threads_per_s=0.02), 3: course("rest")}
    verdicts = {verdict.title: verdict.problems for verdict in judged(courses)}
    assert [problem.partition(":")[0] for problem in verdicts["group"]] == ["memory"]
    assert [problem.partition(":")[0] for problem in verdicts["shard"]] == ["threads"]
    assert verdicts["rest"] == ()


def test_a_process_that_did_not_last_is_named() -> None:
    courses = {1: course("group", until_s=300), 2: course("shard")}
    assert [each.title for each in unfinished(courses)] == ["group"]
    assert [verdict.title for verdict in judged(courses)] == ["shard"]


def test_a_process_that_came_and_went_at_once_is_none_of_those() -> None:
    assert not list(unfinished({1: course("shell", until_s=5), 2: course("shard")}))
