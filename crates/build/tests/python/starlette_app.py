import asyncio
import contextlib

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route


@contextlib.asynccontextmanager
async def lifespan(app):
    yield {"started": True}
    print("stopped")


async def item(request):
    return JSONResponse({
        "id": request.path_params["id"],
        "q": request.query_params["q"],
        "started": request.state.started,
    })


def plain(request):
    return PlainTextResponse("from a plain function")


async def stream(request):
    async def parts():
        for number in range(3):
            yield f"{number},"
            await asyncio.sleep(0.01)

    return StreamingResponse(parts())


async def throw(request):
    raise RuntimeError("boom")


async def length(request):
    sizes = [len(chunk) async for chunk in request.stream() if chunk]
    return JSONResponse({"length": sum(sizes), "chunks": len(sizes)})


site = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/items/{id}", item),
        Route("/plain", plain),
        Route("/stream", stream),
        Route("/throw", throw),
        Route("/length", length, methods=["POST"]),
    ],
)
