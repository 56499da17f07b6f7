%% The same as driver.lua: between two processes of one VM (local), or of two nodes (remote; the other node is an argument).
-module(messages).
-export([local/0, remote/1, sink/2, echo/1]).

local() -> measure(node(), "local ", 1000000).

remote([Node]) ->
    true = net_kernel:connect_node(Node),
    measure(Node, "remote ", 300000).

measure(Node, Prefix, Count) ->
    flood(Node, 10000),
    io:format("~soneway per_second ~w~n", [Prefix, flood(Node, Count)]),
    Self = self(),
    Peer = spawn(Node, ?MODULE, echo, [Self]),
    bounce(Peer, 1000),
    io:format("~sroundtrip us ~w~n", [Prefix, bounce(Peer, 20000)]),
    halt().

flood(Node, Count) ->
    Peer = spawn(Node, ?MODULE, sink, [self(), Count]),
    {Us, _} = timer:tc(fun() -> send(Peer, Count), receive done -> ok end end),
    Count / (Us / 1000000).

send(_, 0) -> ok;
send(Peer, N) -> Peer ! {get, 42, <<"key">>}, send(Peer, N - 1).

sink(To, 0) -> To ! done;
sink(To, N) -> receive _ -> sink(To, N - 1) end.

bounce(Peer, Count) ->
    {Us, _} = timer:tc(fun() -> rally(Peer, Count) end),
    Us / Count.

rally(_, 0) -> ok;
rally(Peer, N) -> Peer ! {get, 42, <<"key">>}, receive _ -> rally(Peer, N - 1) end.

echo(To) -> receive M -> To ! M, echo(To) end.
